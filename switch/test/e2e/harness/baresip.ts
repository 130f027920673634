/** A baresip: a real phone without a screen, controlled over its JSON control connection, its ears recorded. */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { makeFolder, removeFolder } from './folder.ts';
import { encodeNetstring, NetstringReader } from './netstring.ts';
import { freePorts } from './ports.ts';
import { Program } from './program.ts';
import { readWav, since, toneMs, writeTone, type Sound } from './tone.ts';
import { eventually, Mailbox, sleep } from './wait.ts';

/** What the phone is to be. */
export interface BaresipOptions {
  user: string;
  /** `demo-<user>` by default; null: no credentials in the account. */
  password?: string | null;
  /** Domain of its address of record; `strowger.test` by default. */
  domain?: string;
  /** Where the switch is: `127.0.0.1:5060`. */
  proxy: string;
  transport?: 'udp' | 'tcp';
  /** Frequency its microphone hears; 440 by default. */
  toneHz?: number;
  answer?: 'manual' | 'auto';
  /** `wait` (default): it registers, and starting it waits for that; `try`: it registers; `no`: it does not. */
  register?: 'wait' | 'try' | 'no';
  /** Codecs in order of preference; PCMU and PCMA by default. */
  codecs?: string;
}

/** An event as baresip sends it, class and direction left out where they do not apply. */
export interface BaresipEvent {
  type: string;
  class?: string;
  direction?: string;
  peeruri?: string;
  id?: string;
  param?: string;
  /** When it was read, ms of `performance.now()`. */
  at: number;
}

interface Reply {
  response: true;
  ok: boolean;
  data?: string;
  token?: string;
}

const MODULE_FOLDERS = [
  '/usr/lib/baresip/modules',
  '/usr/local/lib/baresip/modules',
  '/usr/lib64/baresip/modules',
];
/** Longer than any call of a test: the phone falls silent when its file ends. */
const TONE_SECONDS = 60;

/** Sound in one RTP packet. */
const PACKET_MS = 20;
const SILENCE_POLL_MS = 10;

export class Baresip {
  readonly user: string;
  readonly aor: string;
  /** Port of its SIP sockets on 127.0.0.1. */
  readonly sipPort: number;
  readonly program: Program;
  readonly events = new Mailbox<BaresipEvent>();
  readonly #folder: string;
  readonly #controlPort: number;
  readonly #replies = new Map<string, (reply: Reply) => void>();
  #control: Socket | undefined;
  #tokens = 0;

  private constructor(options: BaresipOptions, folder: string, sipPort: number, controlPort: number) {
    this.user = options.user;
    this.aor = `sip:${options.user}@${options.domain ?? 'strowger.test'}`;
    this.sipPort = sipPort;
    this.#folder = folder;
    this.#controlPort = controlPort;
    this.program = new Program({
      name: `baresip ${options.user}`,
      command: 'baresip',
      args: ['-f', folder, '-4', '-v'],
      cwd: folder,
    });
  }

  /** Starts a phone and waits until it is registered (unless told otherwise, and until it takes commands). */
  static async start(options: BaresipOptions): Promise<Baresip> {
    const folder = makeFolder(`baresip-${options.user}`);
    const ports = await freePorts(8); // SIP, SIP over TLS beside it, control; then RTP
    writeTone(join(folder, 'tone.wav'), options.toneHz ?? 440, TONE_SECONDS);
    writeFileSync(join(folder, 'config'), configText(folder, ports));
    writeFileSync(join(folder, 'accounts'), accountText(options));
    writeFileSync(join(folder, 'contacts'), '');
    const phone = new Baresip(options, folder, ports, ports + 2);
    try {
      await phone.#connect();
      if ((options.register ?? 'wait') === 'wait')
        await phone.program.line(/200 OK .*\[\d+ bindings?\]/, 8_000);
    } catch (error) {
      const tail = phone.program.tail(30);
      await phone.stop();
      throw new Error(`${(error as Error).message}\n${tail}`);
    }
    return phone;
  }

  async #connect(): Promise<void> {
    await this.program.line(/baresip is ready|useragents? registered/i, 8_000);
    const socket = connect(this.#controlPort, '127.0.0.1');
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    const reader = new NetstringReader();
    socket.on('data', (bytes) => {
      for (const text of reader.read(bytes)) this.#take(JSON.parse(text) as Reply | BaresipEvent);
    });
    socket.on('error', () => undefined); // its end is seen by the commands that get no answer
    this.#control = socket;
  }

  #take(message: Reply | BaresipEvent): void {
    if ('response' in message) this.#replies.get(message.token ?? '')?.(message);
    else this.events.push({ ...message, at: performance.now() });
  }

  /** Runs a command of baresip's menu and returns what it printed; throws when the phone refuses it. */
  async command(command: string, params = ''): Promise<string> {
    const token = String(++this.#tokens);
    const reply = await new Promise<Reply>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.program.name}: no answer to ${command}`)),
        5_000,
      );
      this.#replies.set(token, (one) => {
        clearTimeout(timer);
        resolve(one);
      });
      this.#control?.write(encodeNetstring(JSON.stringify({ command, params, token })));
    });
    this.#replies.delete(token);
    if (!reply.ok) throw new Error(`${this.program.name}: ${command} ${params}: ${reply.data ?? 'refused'}`);
    return reply.data ?? '';
  }

  /** Takes the next event of that type, waiting for it. */
  event(type: string, timeoutMs = 5_000): Promise<BaresipEvent> {
    return this.events.take(
      `${this.program.name}: ${type}`,
      (event) => event.type === type,
      timeoutMs,
      (event) => `${event.type} ${event.param ?? ''}`,
    );
  }

  /** Calls a number or URI; does not wait for an answer. */
  async dial(target: string): Promise<void> {
    await this.command('dial', target);
  }

  /** Waits until it rings, and answers. */
  async answer(timeoutMs = 5_000): Promise<void> {
    await this.event('CALL_INCOMING', timeoutMs);
    await this.command('accept');
  }

  async hangup(): Promise<void> {
    await this.command('hangup');
  }

  async hold(): Promise<void> {
    await this.command('hold');
  }

  async resume(): Promise<void> {
    await this.command('resume');
  }

  /** Sends digits as RFC 4733 events, one after the other. */
  async sendDigits(digits: string): Promise<void> {
    await this.command('sndcode', digits);
  }

  /**
   * Seconds of audio it has received in its call, by its own counter. The recording ends with the first
   * re-INVITE (baresip 1.0 drops the recording filter then); this goes on.
   */
  async receivedS(): Promise<number> {
    const text = await this.command('audio_debug');
    return Number(/rx:[\s\S]*?time = ([\d.]+) sec/.exec(text)?.[1] ?? 0);
  }

  /** What it heard in its newest call; empty before any call. */
  heard(): Sound {
    const newest = readdirSync(this.#folder)
      .filter((name) => /^dump-.*-dec\.wav$/.test(name))
      .sort()
      .at(-1);
    const path = newest ? join(this.#folder, newest) : '';
    return existsSync(path) ? readWav(path) : { rate: 8_000, samples: new Float32Array(0) };
  }

  /** Waits until it has heard half a second of the tone from now on. */
  async hears(hz: number, timeoutMs = 5_000): Promise<void> {
    const before = this.heard().samples.length;
    await eventually(
      `${this.program.name} hears ${hz} Hz`,
      () => toneMs(since(this.heard(), before), hz) >= 500,
      timeoutMs,
      100,
    );
  }

  /** Milliseconds of the tone that it hears while `ms` milliseconds pass. */
  async heardDuring(ms: number, hz: number): Promise<number> {
    const before = this.heard().samples.length;
    await sleep(ms);
    return toneMs(since(this.heard(), before), hz);
  }

  /**
   * Watches its recording grow while `ms` pass: baresip writes 20 ms for each packet it hears and nothing while
   * none comes. Returns the longest silence, ms, from the time a packet was due to the time one came.
   */
  async longestSilenceMs(ms: number): Promise<number> {
    const startAt = performance.now();
    let size = this.heard().samples.length;
    let grewAt = startAt;
    let longest = 0;
    while (performance.now() - startAt < ms) {
      await sleep(SILENCE_POLL_MS);
      const now = performance.now();
      const newSize = this.heard().samples.length;
      if (newSize > size) grewAt = now;
      else longest = Math.max(longest, now - grewAt - PACKET_MS);
      size = newSize;
    }
    return Math.max(0, longest);
  }

  /** Ends it in order (it unregisters), and removes its folder. */
  async stop(): Promise<void> {
    this.#control?.destroy();
    await this.program.stop('SIGTERM', 3_000);
    removeFolder(this.#folder);
  }

  /** Ends it at once, as if its power had failed: nothing is unregistered or hung up. */
  async kill(): Promise<void> {
    this.#control?.destroy();
    await this.program.stop('SIGKILL', 0);
    removeFolder(this.#folder);
  }
}

function configText(folder: string, ports: number): string {
  const modulePath = MODULE_FOLDERS.find((path) => existsSync(path));
  if (!modulePath)
    throw new Error(`baresip's modules are in none of ${MODULE_FOLDERS.map(dirname).join(', ')}`);
  return `${[
    `sip_listen 127.0.0.1:${ports}`,
    'net_interface 127.0.0.1',
    `rtp_ports ${ports + 4}-${ports + 8}`,
    'audio_player aufile,play.wav',
    `audio_source aufile,${join(folder, 'tone.wav')}`,
    'ausrc_srate 8000',
    'auplay_srate 8000',
    'ausrc_channels 1',
    'auplay_channels 1',
    'audio_buffer 20-160',
    'call_max_calls 8',
    `module_path ${modulePath}`,
    ...['g711', 'aufile', 'sndfile', 'account', 'contact', 'menu', 'ctrl_tcp'].map(
      (name) => `module ${name}.so`,
    ),
    `snd_path ${folder}`,
    `ctrl_tcp_listen 127.0.0.1:${ports + 2}`,
    'statmode_default off',
    'ringback_disabled yes',
  ].join('\n')}\n`;
}

function accountText(options: BaresipOptions): string {
  const transport = options.transport ?? 'udp';
  const password = options.password === undefined ? `demo-${options.user}` : options.password;
  return `${[
    `<sip:${options.user}@${options.domain ?? 'strowger.test'};transport=${transport}>`,
    ...(password === null ? [] : [`auth_user=${options.user}`, `auth_pass=${password}`]),
    `outbound="sip:${options.proxy};transport=${transport}"`,
    `regint=${options.register === 'no' ? 0 : 120}`,
    `answermode=${options.answer ?? 'manual'}`,
    `audio_codecs=${options.codecs ?? 'pcmu,pcma'}`,
    'ptime=20',
  ].join(';')}\n`;
}
