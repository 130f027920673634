/** The user's own voice as the other phone of a call would have it: the microphone through a delay, in this page only. */
const DELAY_MAX_S = 5;

export class Speech {
  #context: AudioContext | undefined;
  #stream: MediaStream | undefined;
  #delay: DelayNode | undefined;
  #gain: GainNode | undefined;

  /** @throws DOMException when there is no microphone or it may not be used */
  async start(): Promise<void> {
    if (navigator.mediaDevices === undefined)
      throw new Error('A microphone needs a page that comes by HTTPS.');
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    this.#context = new AudioContext();
    this.#delay = this.#context.createDelay(DELAY_MAX_S);
    this.#gain = this.#context.createGain();
    this.#gain.gain.value = 0;
    this.#context
      .createMediaStreamSource(this.#stream)
      .connect(this.#delay)
      .connect(this.#gain)
      .connect(this.#context.destination);
  }

  /** @param delayMs  one way, as the network has it */
  set(isHeard: boolean, delayMs: number): void {
    if (this.#gain === undefined || this.#delay === undefined) return;
    this.#gain.gain.value = isHeard ? 1 : 0;
    this.#delay.delayTime.value = Math.min(DELAY_MAX_S, delayMs / 1_000);
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    void this.#context?.close();
    this.#context = undefined;
    this.#stream = undefined;
    this.#gain = undefined;
    this.#delay = undefined;
  }
}
