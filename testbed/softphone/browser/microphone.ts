/** The microphone: one stream for all calls, of which each call gets a track of its own; closed when none is left. */
import { FailureError, microphoneFailure } from '../phone/failure.ts';

export interface MicrophoneChoice {
  /** Empty: the system's choice. */
  deviceId: string;
  voiceProcessing: boolean;
}

function constraintsOf({ deviceId, voiceProcessing }: MicrophoneChoice): MediaStreamConstraints {
  return {
    audio: {
      ...(deviceId === '' ? {} : { deviceId: { exact: deviceId } }),
      echoCancellation: voiceProcessing,
      noiseSuppression: voiceProcessing,
      autoGainControl: voiceProcessing,
      channelCount: 1,
    },
  };
}

/** An error with the name that {@link microphoneFailure} knows, where the API itself is missing. */
function insecureContext(): Error {
  const error = new Error('navigator.mediaDevices is missing');
  error.name = 'InsecureContextError';
  return error;
}

export class Microphone {
  readonly #choice: () => MicrophoneChoice;
  #stream: Promise<MediaStream> | null = null;

  /** @param choice read each time the microphone is opened */
  constructor(choice: () => MicrophoneChoice) {
    this.#choice = choice;
  }

  /** Opens it, which may ask the person. @throws FailureError */
  async prepare(): Promise<void> {
    await this.#open();
  }

  /** A track that its owner stops. @throws FailureError */
  async track(): Promise<MediaStreamTrack> {
    return (await this.#open()).getAudioTracks()[0]!.clone();
  }

  /** Frees the device, and the browser's sign that it is in use. Tracks given away go on. */
  async release(): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    const opened = await stream?.catch(() => null);
    for (const track of opened?.getTracks() ?? []) track.stop();
  }

  async #open(): Promise<MediaStream> {
    this.#stream ??= this.#request();
    try {
      const stream = await this.#stream;
      // Unplugged meanwhile.
      if (stream.getAudioTracks()[0]?.readyState === 'live') return stream;
      this.#stream = this.#request();
      return await this.#stream;
    } catch (error) {
      this.#stream = null;
      throw new FailureError(microphoneFailure(error));
    }
  }

  async #request(): Promise<MediaStream> {
    if (navigator.mediaDevices === undefined) throw insecureContext();
    const choice = this.#choice();
    try {
      return await navigator.mediaDevices.getUserMedia(constraintsOf(choice));
    } catch (error) {
      const gone = error instanceof Error && error.name === 'OverconstrainedError' && choice.deviceId !== '';
      if (!gone) throw error;
      return navigator.mediaDevices.getUserMedia(constraintsOf({ ...choice, deviceId: '' }));
    }
  }
}
