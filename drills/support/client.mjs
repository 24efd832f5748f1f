// A client of the service with one connection: sends, may cut the connection on purpose, never waits without an end.
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const patienceMilliseconds = 60_000;

/**
 * @typedef {object} Answer
 * @property {number} status 0 where none came
 * @property {string} [lost] why none came
 * @property {Record<string, any>} headers
 * @property {any} body
 * @property {string} text the body as it came
 */

export class Client {
  /** @param {() => string} url where the service answers now */
  constructor(url) {
    this.url = url;
    this.agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [more]
   * @param {Record<string, string>} [more.headers]
   * @param {Iterable<Buffer>} [more.body]
   * @param {number} [more.cutAfter] bytes after which the connection is cut
   * @param {(sent: number) => Promise<void> | undefined} [more.beforeChunk]
   * @returns {Promise<Answer>}
   */
  send(method, path, { headers = {}, body, cutAfter = Infinity, beforeChunk } = {}) {
    return new Promise((resolve) => {
      const request = httpRequest(this.url() + path, { method, headers, agent: this.agent });
      const finish = (/** @type {Answer} */ answer) => {
        clearTimeout(timer);
        resolve(answer);
        if (!request.writableFinished) request.destroy();
      };
      const lose = (/** @type {string} */ why) =>
        finish({ status: 0, lost: why, headers: {}, body: undefined, text: '' });
      const timer = setTimeout(() => {
        lose('no answer in time');
        request.destroy();
      }, patienceMilliseconds);
      request.on('error', (error) => lose(/** @type {any} */ (error).code ?? error.message));
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece) => (text += piece));
        response.on('error', (error) => lose(error.message));
        response.on('close', () => lose('cut in the answer'));
        response.on('end', () =>
          finish({ status: response.statusCode ?? 0, headers: response.headers, body: parsed(text), text }),
        );
      });
      if (body === undefined) request.end();
      else void write(request, body, cutAfter, beforeChunk).catch((error) => lose(String(error)));
    });
  }

  close() {
    this.agent.destroy();
  }
}

/**
 * @param {import('node:http').ClientRequest} request
 * @param {Iterable<Buffer>} body
 * @param {number} cutAfter
 * @param {((sent: number) => Promise<void> | undefined) | undefined} beforeChunk
 */
async function write(request, body, cutAfter, beforeChunk) {
  let sent = 0;
  for (const chunk of body) {
    await beforeChunk?.(sent);
    if (request.destroyed) return;
    if (sent + chunk.length > cutAfter) {
      request.write(chunk.subarray(0, cutAfter - sent), () => request.destroy(new Error('cut on purpose')));
      return;
    }
    sent += chunk.length;
    if (!request.write(chunk)) await drained(request);
  }
  request.end(() => cutAfter !== Infinity && request.destroy(new Error('cut on purpose')));
}

/** @param {import('node:http').ClientRequest} request */
const drained = (request) =>
  new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    const go = () => {
      request.off('drain', go).off('close', go);
      resolve();
    };
    request.on('drain', go).on('close', go);
  });

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Waits for a condition, not for a time; throws where it does not come to be.
 * @template T
 * @param {string} what
 * @param {number} milliseconds
 * @param {() => Promise<T> | T} condition
 */
export async function until(what, milliseconds, condition) {
  const end = performance.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`not within ${milliseconds / 1_000} s: ${what}`);
    await delay(25);
  }
}
