/** Audio devices, as far as the browser tells. */
export interface Device {
  id: string;
  label: string;
}

export interface Devices {
  microphones: Device[];
  speakers: Device[];
  /** Names are hidden until the microphone was allowed once. */
  named: boolean;
  /** Whether a page may choose where audio goes (not in every browser). */
  speakerChoice: boolean;
}

export const NO_DEVICES: Devices = { microphones: [], speakers: [], named: false, speakerChoice: false };

/** `default` and `communications` are Chromium's names for the system's choice, which is offered anyway. */
const ALIASES = new Set(['', 'default', 'communications']);

function pick(all: readonly MediaDeviceInfo[], kind: MediaDeviceKind, name: string): Device[] {
  return all
    .filter((device) => device.kind === kind && !ALIASES.has(device.deviceId))
    .map((device, index) => ({ id: device.deviceId, label: device.label || `${name} ${index + 1}` }));
}

export async function listDevices(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return {
    microphones: pick(all, 'audioinput', 'Microphone'),
    speakers: pick(all, 'audiooutput', 'Speaker'),
    named: all.some((device) => device.label !== ''),
    speakerChoice: 'setSinkId' in HTMLMediaElement.prototype,
  };
}
