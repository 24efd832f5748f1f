// That the peers of bench/read say the same: a figure for a wrong answer is worth nothing.
import { deepStrictEqual } from 'node:assert';
import { pathOf, readmeQuestion } from '../support/items.mjs';

/** Questions asked of both before measuring. */
const compared = 200;

/** Headers that Node itself adds to every answer, or whose value belongs to one answer. */
const own = new Set(['connection', 'keep-alive', 'date', 'content-length', 'transfer-encoding']);

/** Body and headers of an answer of 200; throws otherwise. */
export async function answerOf(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  const body = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${body.slice(0, 500)}`);
  return { body, headers: Object.fromEntries([...response.headers].filter(([name]) => !own.has(name))) };
}

/** Throws where a peer answers the README's question otherwise than the service. */
export async function checkReadmeAnswer({ info, warn, cold, rollup, bare }) {
  const expected = JSON.parse((await answerOf(info.url + pathOf(readmeQuestion))).body);
  for (const peer of [warn, cold, rollup, bare]) {
    const { body } = await answerOf(peer.url + pathOf(readmeQuestion));
    deepStrictEqual(JSON.parse(body), expected, `${peer.kind}: the README's question`);
  }
}

/** Throws where the services and peer (b) differ in a day, count or price. After measuring: asked before, an answer may be cached. */
export async function checkListedAnswers({ info, warn, cold, rollup }, questions) {
  const step = Math.max(1, Math.floor(questions.length / compared));
  for (let index = 0; index < questions.length; index += step) {
    const path = pathOf(questions[index]);
    const answers = await Promise.all([info, warn, cold, rollup].map(({ url }) => answerOf(url + path)));
    const [first, ...others] = answers.map(({ body }) => JSON.parse(body));
    for (const other of others) deepStrictEqual(other, first, path);
  }
}
