/**
 * An answer as one text and one write. Node's `writeHead` checks and joins a dozen headers each time, and `end` with a
 * body hands over head and body apart: together a quarter of what a kept answer costs (docs/decisions/0004). In go headers
 * and body, all of them ours and in ASCII; keep-alive, pipelining and the end of the connection stay Node's.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { limits } from './limits.js';

/** Node sends this first. Not documented, and there since its beginnings; where it goes, `writeHead` takes over. */
const headKey = '_header';
type WithHead = ServerResponse & { [headKey]?: unknown };

const hasHead = (response: WithHead): boolean =>
  String(response.writeHead(200, ['x', 'y'])[headKey]).startsWith('HTTP/1.1 200 OK\r\nx: y\r\n');
const isUsable = hasHead(new ServerResponse(new IncomingMessage(new Socket())));

let second = -1;
let start = '';

/** Up to our own headers; the date changes once a second. */
function startNow(): string {
  const now = Math.floor(Date.now() / 1_000);
  if (now === second) return start;
  second = now;
  const date = new Date(now * 1_000).toUTCString();
  return (start = `HTTP/1.1 200 OK\r\ndate: ${date}\r\nconnection: keep-alive\r\nkeep-alive: timeout=${limits.idleMilliseconds / 1_000}\r\n`);
}

/**
 * Answers 200 over a connection that stays open, or does nothing and returns false. `headers`: lines, each with its end;
 * nobody checks them.
 */
export function endWhole(response: WithHead, headers: string, body: string): boolean {
  if (!isUsable || !response.shouldKeepAlive) return false;
  response[headKey] = `${startNow()}${headers}content-length: ${body.length}\r\n\r\n${body}`;
  response.end();
  return true;
}
