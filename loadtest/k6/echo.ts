/** A WebSocket server that sends back what it gets: what a round trip takes with no switch behind it. */
import { App, us_socket_local_port } from 'uWebSockets.js';

export interface EchoServer {
  url: string;
  stop: () => void;
}

/** Starts it on a free port of this machine. */
export function startEcho(): Promise<EchoServer> {
  const app = App().ws('/*', { message: (socket, message, isBinary) => void socket.send(message, isBinary) });
  return new Promise((resolve, reject) => {
    app.listen('127.0.0.1', 0, (token) => {
      if (!token) return reject(new Error('the echo server can not listen'));
      resolve({ url: `ws://127.0.0.1:${us_socket_local_port(token)}/`, stop: () => void app.close() });
    });
  });
}
