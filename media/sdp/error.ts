/** Why a session description can't be used. */
export class SdpError extends Error {
  /** SIP status to refuse with: 400 malformed, 488 nothing in it that the switch can do (RFC 3261 21.4.1, 21.4.26). */
  readonly status: 400 | 488;

  constructor(status: 400 | 488, message: string) {
    super(message);
    this.name = 'SdpError';
    this.status = status;
  }
}
