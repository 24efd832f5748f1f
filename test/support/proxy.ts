/** A proxy in front of PostgreSQL that cuts a connection at its COMMIT: before the server gets it, or before the client hears of it. */
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { openDatabase, type Database } from '../../src/database/database.js';
import type { TestDatabase } from './database.js';

export interface Proxy {
  /** The next COMMIT on a connection that has sent this text before is cut. Resolves when it was. */
  cut(moment: 'before' | 'after', text: string, times?: number): Promise<void>;
  /** Cuts every connection now; new ones are refused until `open`. */
  shut(): void;
  open(): void;
}

interface Plan {
  moment: 'before' | 'after';
  text: string;
  times: number;
  done(): void;
}

/** A pool whose connections go through a proxy. */
export async function withProxy(
  test: TestDatabase,
  work: (database: Database, proxy: Proxy) => Promise<void>,
): Promise<void> {
  const { hostname, port, username, password, pathname } = new URL(test.url);
  const sockets = new Set<Socket>();
  let plan: Plan | undefined;
  let refusing = false;
  const server = createServer((client) => {
    if (refusing) {
      client.destroy();
      return;
    }
    const upstream = createConnection({ host: hostname, port: Number(port) });
    const both = [client, upstream];
    const end = (): void => both.forEach((socket) => socket.destroy());
    for (const socket of both) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    let armed: Plan | undefined;
    let deaf = false;
    const cutNow = (cut: Plan): void => {
      if (--cut.times === 0) plan = undefined;
      end();
      cut.done();
    };
    client.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1');
      if (plan && text.includes(plan.text)) armed = plan;
      if (armed && /Q....commit\0/s.test(text)) {
        if (armed.moment === 'before') {
          cutNow(armed);
          return;
        }
        deaf = true;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (deaf && armed) cutNow(armed);
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const database = openDatabase({
    connection: {
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      user: username,
      password,
      database: pathname.slice(1),
    },
    poolSize: 4,
    emit: test.emit,
  });
  try {
    await work(database, {
      cut: (moment, text, times = 1) =>
        new Promise((done) => {
          plan = { moment, text, times, done };
        }),
      shut: () => {
        refusing = true;
        for (const socket of sockets) socket.destroy();
      },
      open: () => void (refusing = false),
    });
  } finally {
    await database.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}
