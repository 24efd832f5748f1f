/**
 * A proxy between the service and PostgreSQL that knows the protocol's messages: it cuts, stalls or lets terminate a
 * connection at the message that a test names, and keeps a log of where that was.
 */
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import pg from 'pg';
import { openDatabase, type Database } from '../../src/database/database.js';
import type { TestDatabase } from './database.js';
import { Conversation, Framer, type Message, type Side } from './protocol.js';

/**
 * `cut before`: the message is lost with its connection; `cut after`: it arrives, nothing after it. `terminate`: the
 * server's process is ended by an administrator, then the message goes on. `stall`: from this message on nothing passes
 * on any connection until `release`. `strand`, of a message to the server: the service loses the connection, and the
 * message reaches the server at `release`.
 */
export const actions = ['cut before', 'cut after', 'terminate', 'stall'] as const;
export type Action = (typeof actions)[number] | 'strand';

/** Where something was done to a connection. */
export interface Landing {
  action: Action;
  connection: number;
  message: Message;
}

export const describeLanding = ({ action, connection, message }: Landing): string =>
  `${action} ${message.name} of '${message.exchange.statement}' on connection ${connection}, in [${message.exchange.transaction.join(' | ')}]`;

export interface PostgresProxy {
  /** A pool whose connections go through the proxy. */
  database: Database;
  /** How another pool goes through it. */
  connection: pg.ClientConfig;
  log: Landing[];
  /** Hears each message as it is about to pass. */
  listen(listener: (message: Message) => void): void;
  /** Does this at the next message that fits, `times` times. Resolves with the last of those. */
  plan(action: Action, fits: (message: Message) => boolean, times?: number): Promise<Landing>;
  /** Forgets what was planned and did not happen. */
  forget(): void;
  hold(): void;
  release(): void;
  /** Cuts every connection now. */
  cut(): void;
  /** The server's processes behind the connections. */
  backends(): number[];
  terminate(): Promise<void>;
  /** Refuses new connections until `open`. */
  refuse(): void;
  open(): void;
  /** Whether no connection awaits an answer. */
  isIdle(): boolean;
  /** A connection past the proxy. */
  admin: pg.Client;
}

interface Connection {
  number: number;
  conversation: Conversation;
  /** By where it goes. */
  flows: Record<Side, Flow>;
  waiting: boolean;
  cut: boolean;
  stranded: boolean;
}

interface Flow {
  target: Socket;
  framer: Framer;
  queue: Buffer[];
  /** The first of the queue has had its turn with the plan. */
  passing: boolean;
}

interface Plan {
  action: Action;
  fits: (message: Message) => boolean;
  times: number;
  landed(landing: Landing): void;
}

class Proxy {
  readonly log: Landing[] = [];
  readonly connections = new Set<Connection>();
  listener: (message: Message) => void = () => undefined;
  plan: Plan | undefined;
  refusing = false;
  readonly #stranded: Flow[] = [];
  #held = false;
  #count = 0;
  readonly #admin: pg.Client;
  readonly #server: { host: string; port: number };

  constructor(admin: pg.Client, server: { host: string; port: number }) {
    this.#admin = admin;
    this.#server = server;
  }

  accept(client: Socket): void {
    if (this.refusing) {
      client.destroy();
      return;
    }
    const upstream = createConnection(this.#server);
    const flow = (side: Side, target: Socket): Flow => ({
      target,
      framer: new Framer(side),
      queue: [],
      passing: false,
    });
    const connection: Connection = {
      number: ++this.#count,
      conversation: new Conversation(),
      flows: { '>': flow('>', upstream), '<': flow('<', client) },
      waiting: false,
      cut: false,
      stranded: false,
    };
    this.connections.add(connection);
    this.#wire(connection, '>', client);
    this.#wire(connection, '<', upstream);
  }

  #wire(connection: Connection, side: Side, from: Socket): void {
    const flow = connection.flows[side];
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => {
      flow.queue.push(...flow.framer.push(chunk));
      this.#pump(connection, side);
    });
    from.on('error', () => undefined);
    // What has passed already arrives; what is held is lost, as when a machine goes down.
    from.on('close', () => this.end(connection));
  }

  end(connection: Connection): void {
    connection.cut = true;
    this.connections.delete(connection);
    connection.flows['<'].target.destroySoon();
    if (!connection.stranded) connection.flows['>'].target.destroySoon();
  }

  #pump(connection: Connection, side: Side): void {
    const flow = connection.flows[side];
    const passing: Buffer[] = [];
    while (!connection.cut && !connection.waiting && !this.#held) {
      const bytes = flow.queue[0];
      if (bytes === undefined) break;
      const landing = flow.passing ? undefined : this.#look(connection, side, bytes);
      flow.passing = landing !== undefined;
      if (landing?.action === 'cut before') this.#write(flow, passing);
      if (landing === undefined || landing.action === 'cut after') {
        passing.push(bytes);
        flow.queue.shift();
      }
      if (landing) {
        this.#write(flow, passing.splice(0));
        this.#act(connection, landing);
      }
    }
    this.#write(flow, passing);
  }

  #write(flow: Flow, messages: Buffer[]): void {
    const [only] = messages;
    if (only && flow.target.writable)
      flow.target.write(messages.length === 1 ? only : Buffer.concat(messages));
  }

  #look(connection: Connection, side: Side, bytes: Buffer): Landing | undefined {
    const message = connection.conversation.note(side, bytes);
    this.listener(message);
    const { plan } = this;
    if (!plan?.fits(message)) return undefined;
    const landing = { action: plan.action, connection: connection.number, message };
    this.log.push(landing);
    if (--plan.times === 0) {
      this.plan = undefined;
      plan.landed(landing);
    }
    return landing;
  }

  #act(connection: Connection, { action }: Landing): void {
    if (action === 'stall') this.hold();
    else if (action === 'strand') {
      connection.stranded = true;
      this.#stranded.push(connection.flows['>']);
      this.end(connection);
    } else if (action === 'terminate') {
      connection.waiting = true;
      void this.terminate([connection]).then(() => {
        connection.waiting = false;
        this.#pumpBoth(connection);
      });
    } else this.end(connection);
  }

  #pumpBoth(connection: Connection): void {
    this.#pump(connection, '>');
    this.#pump(connection, '<');
  }

  async terminate(connections: Iterable<Connection>): Promise<void> {
    const backends = [...connections].flatMap(({ conversation }) => conversation.backend ?? []);
    await this.#admin.query('select pg_terminate_backend(pid) from unnest($1::integer[]) as pid', [backends]);
  }

  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    for (const flow of this.#stranded.splice(0)) {
      this.#write(flow, flow.queue);
      flow.target.end();
    }
    for (const connection of this.connections) this.#pumpBoth(connection);
  }
}

export async function withPostgresProxy<Result>(
  test: Pick<TestDatabase, 'url' | 'emit'>,
  work: (proxy: PostgresProxy) => Promise<Result>,
): Promise<Result> {
  const { hostname, port, username, password, pathname } = new URL(test.url);
  const admin = new pg.Client(test.url);
  await admin.connect();
  const proxy = new Proxy(admin, { host: hostname, port: Number(port) });
  const server = createServer((client) => proxy.accept(client));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const connection = {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    user: username,
    password,
    database: pathname.slice(1),
  };
  const database = openDatabase({ connection, poolSize: 4, emit: test.emit });
  const cut = (): void => [...proxy.connections].forEach((each) => proxy.end(each));
  try {
    return await work({
      database,
      connection,
      admin,
      log: proxy.log,
      listen: (listener) => void (proxy.listener = listener),
      plan: (action, fits, times = 1) =>
        new Promise((landed) => (proxy.plan = { action, fits, times, landed })),
      forget: () => void (proxy.plan = undefined),
      hold: () => proxy.hold(),
      release: () => proxy.release(),
      cut,
      backends: () => [...proxy.connections].flatMap(({ conversation }) => conversation.backend ?? []),
      terminate: () => proxy.terminate(proxy.connections),
      refuse: () => void (proxy.refusing = true),
      open: () => void (proxy.refusing = false),
      isIdle: () => [...proxy.connections].every(({ conversation }) => !conversation.busy),
    });
  } finally {
    proxy.release();
    await database.close();
    cut();
    await new Promise((resolve) => server.close(resolve));
    await admin.end();
  }
}
