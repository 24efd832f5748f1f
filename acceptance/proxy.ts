/** A proxy that holds an upload in its middle until told to go on. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { until } from './support.js';

export interface Gate {
  url: string;
  /** Resolves once so many bytes have come from clients and more is held back. */
  held(): Promise<void>;
  open(): void;
  close(): void;
}

/** Lets `bytes` through to the port. Where nobody is there, it breaks off as the system would. */
export async function gateBefore(port: number, bytes: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  let [passed, isOpen, holds] = [0, false, false];
  const waiting: (() => void)[] = [];
  const server = createServer((client) => {
    const service = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, service],
      [service, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.once('close', () => to.destroy());
    }
    service.pipe(client);
    client.on('data', (chunk) => {
      passed += chunk.length;
      client.pause();
      const pass = (): void => void service.write(chunk, () => client.resume());
      if (isOpen || passed <= bytes) return pass();
      holds = true;
      waiting.push(pass);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held: () => until(() => holds, 30_000, 'the upload reaches its middle'),
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
