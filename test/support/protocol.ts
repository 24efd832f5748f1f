/** PostgreSQL's protocol, version 3, as a proxy reads it: in go chunks of bytes, out come whole messages with their names. Pure. */

export type Side = '>' | '<';

/** A statement and its answer. */
export interface Exchange {
  /** Shortened; of a commit or rollback also what came before it. */
  statement: string;
  /** What the open transaction has done so far, this statement included. */
  transaction: readonly string[];
  /** Asked with Parse, Bind and Execute, not with one Query. */
  extended: boolean;
}

/** From the service to the server is `>`, the other way `<`. */
export interface Message {
  side: Side;
  kind: string;
  /** Such as `> Query begin`, `< CommandComplete COPY`. */
  name: string;
  exchange: Exchange;
}

// Source: PostgreSQL documentation, "Message Formats".
const asked: Record<string, string> = {
  Q: 'Query',
  P: 'Parse',
  B: 'Bind',
  D: 'Describe',
  E: 'Execute',
  S: 'Sync',
  C: 'Close',
  H: 'Flush',
  d: 'CopyData',
  c: 'CopyDone',
  f: 'CopyFail',
  p: 'Password',
  X: 'Terminate',
};
const answered: Record<string, string> = {
  1: 'ParseComplete',
  2: 'BindComplete',
  3: 'CloseComplete',
  A: 'NotificationResponse',
  C: 'CommandComplete',
  D: 'DataRow',
  E: 'ErrorResponse',
  G: 'CopyInResponse',
  H: 'CopyOutResponse',
  I: 'EmptyQueryResponse',
  K: 'BackendKeyData',
  N: 'NoticeResponse',
  R: 'Authentication',
  S: 'ParameterStatus',
  T: 'RowDescription',
  Z: 'ReadyForQuery',
  c: 'CopyDone',
  d: 'CopyData',
  n: 'NoData',
  s: 'PortalSuspended',
  t: 'ParameterDescription',
};

/** Cuts a stream into messages, whatever the chunks. Without TLS: what comes first is the startup, which has no type. */
export class Framer {
  #kept: Buffer = Buffer.alloc(0);
  #untyped: boolean;

  constructor(side: Side) {
    this.#untyped = side === '>';
  }

  push(chunk: Buffer): Buffer[] {
    let bytes = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
    const messages: Buffer[] = [];
    for (;;) {
      const type = this.#untyped ? 0 : 1;
      if (bytes.length < type + 4) break;
      const length = type + bytes.readUInt32BE(type);
      if (bytes.length < length) break;
      messages.push(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
      this.#untyped = false;
    }
    this.#kept = bytes;
    return messages;
  }
}

/** Long enough to tell our statements apart. */
const labelLength = 92;
const labelOf = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, labelLength);
const endsTransaction = /^(commit|rollback)\b/i;

/** What one connection is doing, from its messages in their order. */
export class Conversation {
  /** Of the server's process. */
  backend: number | undefined;
  /** Whether an answer is awaited. */
  busy = true;
  readonly #prepared = new Map<string, string>();
  #exchange: Exchange = { statement: 'connecting', transaction: [], extended: false };
  #open = false;
  #started = false;

  note(side: Side, bytes: Buffer): Message {
    return side === '>' ? this.#ask(bytes) : this.#answer(bytes);
  }

  #ask(bytes: Buffer): Message {
    if (!this.#started) {
      this.#started = true;
      return this.#message('>', 'Startup');
    }
    const type = typeOf(bytes);
    const [first = '', second = ''] = type === 'd' ? [] : textsOf(bytes);
    if (type === 'Q') this.#begin(first, false);
    if (type === 'P') {
      this.#prepared.set(first, second);
      this.#begin(second, true);
    }
    // Prepared by an earlier one.
    if (type === 'B' && !this.busy) this.#begin(this.#prepared.get(second) ?? '', true);
    return this.#message('>', asked[type] ?? type, type === 'Q' ? ` ${this.#exchange.statement}` : '');
  }

  #answer(bytes: Buffer): Message {
    const type = typeOf(bytes);
    const kind = answered[type] ?? type;
    if (type === 'K') this.backend = bytes.readInt32BE(5);
    if (type === 'E') return this.#message('<', kind, ` ${textsOf(bytes).slice(2, 4).join(' ')}`);
    if (type === 'C')
      return this.#message('<', kind, ` ${(textsOf(bytes)[0] ?? '').replaceAll(/ \d+/g, '')}`);
    if (type !== 'Z') return this.#message('<', kind);
    const message = this.#message('<', kind);
    this.busy = false;
    this.#open = bytes[5] !== 'I'.charCodeAt(0);
    return message;
  }

  #begin(text: string, extended: boolean): void {
    this.busy = true;
    const done = this.#open ? this.#exchange.transaction : [];
    const before = done.at(-1);
    const label = labelOf(text);
    const statement = endsTransaction.test(text) && before !== undefined ? `${label} after ${before}` : label;
    this.#exchange = { statement, transaction: [...done, statement], extended };
  }

  #message(side: Side, kind: string, detail = ''): Message {
    return { side, kind, name: `${side} ${kind}${detail}`, exchange: this.#exchange };
  }
}

const typeOf = (bytes: Buffer): string => String.fromCharCode(bytes[0] ?? 0);

/** The strings after type and length, each of which ends with a zero. */
const textsOf = (bytes: Buffer): string[] => bytes.toString('utf8', 5).split('\0');
