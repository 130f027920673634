/** Pages of a real Chromium with a WebRTC connection that sings a tone, without any signalling of their own. */
import { type Browser, chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const ARGS = [
  '--no-sandbox',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
}

/** What the page keeps in its window. */
interface Phone {
  connection: RTCPeerConnection;
  analyser: AnalyserNode | null;
  context: AudioContext;
}

export class BrowserPhone {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  /** @param toneHz what it sends. */
  static async open(browser: Browser, toneHz: number): Promise<BrowserPhone> {
    const page = await browser.newPage();
    await page.evaluate(startPhone, toneHz);
    return new BrowserPhone(page);
  }

  /** An offer, or one that puts on hold or resumes. */
  async offer(direction: RTCRtpTransceiverDirection = 'sendrecv'): Promise<string> {
    return await this.#page.evaluate(makeOffer, direction);
  }

  /** The next offer comes with new ICE credentials. */
  async restartIce(): Promise<void> {
    await this.#page.evaluate(restart);
  }

  async accept(answer: string): Promise<void> {
    await this.#page.evaluate(acceptAnswer, answer);
  }

  /** The answer to an offer. */
  async answer(offer: string): Promise<string> {
    return await this.#page.evaluate(makeAnswer, offer);
  }

  /** The loudest frequency of the last moments, Hz, and how loud it is in dB. */
  async hears(): Promise<{ hz: number; db: number }> {
    return await this.#page.evaluate(loudest);
  }

  async packetsReceived(): Promise<number> {
    return await this.#page.evaluate(countReceived);
  }

  /** Sends DTMF. */
  async press(tones: string): Promise<void> {
    await this.#page.evaluate(pressKeys, tones);
  }

  async close(): Promise<void> {
    await this.#page.close();
  }
}

// What follows runs in the page.

async function startPhone(toneHz: number): Promise<void> {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: toneHz });
  const microphone = context.createMediaStreamDestination();
  tone.connect(new GainNode(context, { gain: 0.5 })).connect(microphone);
  tone.start();
  const connection = new RTCPeerConnection();
  const [track] = microphone.stream.getAudioTracks();
  connection.addTrack(track!, microphone.stream);
  const phone: Phone = { connection, analyser: null, context };
  Object.assign(window, { phone });
  connection.ontrack = ({ track }) => {
    const stream = new MediaStream([track]);
    // Chromium feeds WebAudio from a remote track only while an element plays it.
    const element = new Audio();
    element.srcObject = stream;
    element.muted = true;
    void element.play();
    Object.assign(window, { element });
    phone.analyser = new AnalyserNode(context, { fftSize: 4096 });
    context.createMediaStreamSource(stream).connect(phone.analyser);
  };
}

async function makeOffer(direction: RTCRtpTransceiverDirection): Promise<string> {
  const { connection } = (window as unknown as { phone: Phone }).phone;
  connection.getTransceivers()[0]!.direction = direction;
  await connection.setLocalDescription();
  return connection.localDescription!.sdp;
}

function restart(): void {
  (window as unknown as { phone: Phone }).phone.connection.restartIce();
}

async function acceptAnswer(sdp: string): Promise<void> {
  const { connection } = (window as unknown as { phone: Phone }).phone;
  await connection.setRemoteDescription({ type: 'answer', sdp });
}

async function makeAnswer(sdp: string): Promise<string> {
  const { connection } = (window as unknown as { phone: Phone }).phone;
  await connection.setRemoteDescription({ type: 'offer', sdp });
  await connection.setLocalDescription();
  return connection.localDescription!.sdp;
}

function loudest(): { hz: number; db: number } {
  const { analyser, context } = (window as unknown as { phone: Phone }).phone;
  if (!analyser) return { hz: 0, db: Number.NEGATIVE_INFINITY };
  const spectrum = new Float32Array(analyser.frequencyBinCount);
  analyser.getFloatFrequencyData(spectrum);
  const bin = spectrum.reduce((best, db, i) => (db > spectrum[best]! ? i : best), 0);
  return { hz: (bin * context.sampleRate) / analyser.fftSize, db: spectrum[bin]! };
}

async function countReceived(): Promise<number> {
  const { connection } = (window as unknown as { phone: Phone }).phone;
  let packets = 0;
  for (const report of (await connection.getStats()).values()) {
    if (report.type === 'inbound-rtp') packets += report.packetsReceived;
  }
  return packets;
}

function pressKeys(tones: string): void {
  const { connection } = (window as unknown as { phone: Phone }).phone;
  connection.getSenders()[0]!.dtmf!.insertDTMF(tones, 200, 50);
}
