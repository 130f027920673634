/**
 * Node's WebSocket fires no `close` after a connection that could not be made, as browsers do (WHATWG websockets,
 * "fail the WebSocket connection"). sip.js waits for it.
 */
class BrowserLikeWebSocket extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    let over = false;
    this.addEventListener('close', () => {
      over = true;
    });
    this.addEventListener('error', () => {
      setTimeout(() => {
        if (!over) this.dispatchEvent(Object.assign(new Event('close'), { code: 1006 }));
      });
    });
  }
}

globalThis.WebSocket = BrowserLikeWebSocket;
