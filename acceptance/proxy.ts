/** A proxy that holds an upload in its middle until told to go on. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { until } from './support.js';

export interface Gate {
  url: string;
  /** The first line of each request, where each has a connection of its own. */
  requests: string[];
  /** Resolves once so many bytes have come from clients and more is held back. */
  held(): Promise<void>;
  open(): void;
  close(): void;
}

/**
 * Lets `bytes` through to the port, or everything up to a request that begins so, whose answer is held back. Where nobody
 * is there, it breaks off as the system would.
 */
export async function gateBefore(port: number, limit: number | RegExp): Promise<Gate> {
  const sockets = new Set<Socket>();
  let [passed, isOpen, holds] = [0, false, false];
  const waiting: (() => void)[] = [];
  const requests: string[] = [];
  const hold = (pass: () => void): void => {
    holds = true;
    waiting.push(pass);
  };
  const server = createServer((client) => {
    const service = connect(port, '127.0.0.1');
    let answerHeld = false;
    client.once('data', (chunk) => requests.push(chunk.toString('latin1').split('\r\n', 1)[0] ?? ''));
    for (const [from, to] of [
      [client, service],
      [service, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.once('close', () => to.destroy());
      from.on('data', (chunk) => {
        from.pause();
        const pass = (): void => void to.write(chunk, () => from.resume());
        if (from === client) {
          passed += chunk.length;
          answerHeld ||= typeof limit !== 'number' && limit.test(chunk.toString('latin1'));
        }
        const over =
          typeof limit === 'number' ? from === client && passed > limit : from === service && answerHeld;
        if (isOpen || !over) pass();
        else hold(pass);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    requests,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held: () => until(() => holds, 60_000, 'the upload reaches its middle'),
    open: () => {
      isOpen = true;
      for (const pass of waiting.splice(0)) pass();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
