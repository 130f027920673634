/**
 * What is put into the page before its own scripts: an ear for what comes from the other side, independent of how
 * the page plays it. The function runs in the page, so it uses nothing from outside itself.
 */

/** In the page as `window.testEar`. */
export interface PageEar {
  /**
   * Listens for `ms` and returns the part of the time (0..1) in which the tone of `hz` was most of what the newest
   * remote track brought.
   */
  listen(hz: number, ms: number): Promise<number>;
}

export function installEar(): void {
  const tracks: MediaStreamTrack[] = [];
  const NativeConnection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends NativeConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      this.addEventListener('track', (event) => {
        if (event.track.kind === 'audio') tracks.push(event.track);
      });
    }
  };

  let context: AudioContext | undefined;
  const listen = async (hz: number, ms: number): Promise<number> => {
    const track = tracks.findLast((one) => one.readyState === 'live');
    if (!track) return 0;
    context ??= new AudioContext();
    await context.resume();
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const analyser = context.createAnalyser();
    analyser.fftSize = 4096;
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const coefficient = 2 * Math.cos((2 * Math.PI * hz) / context.sampleRate);
    const isTone = (): boolean => {
      analyser.getFloatTimeDomainData(samples);
      let [s1, s2, energy] = [0, 0, 0];
      for (const sample of samples) {
        [s1, s2] = [sample + coefficient * s1 - s2, s1];
        energy += sample * sample;
      }
      const amplitude =
        (2 * Math.sqrt(Math.max(s1 * s1 + s2 * s2 - coefficient * s1 * s2, 0))) / samples.length;
      return amplitude > 0.01 && (amplitude * amplitude * samples.length) / 2 > energy * 0.5;
    };
    const endAt = performance.now() + ms;
    let windows = 0;
    let tones = 0;
    while (performance.now() < endAt) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      windows++;
      if (isTone()) tones++;
    }
    source.disconnect();
    return windows > 0 ? tones / windows : 0;
  };
  Object.assign(window, { testEar: { listen } });
}
