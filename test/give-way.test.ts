import { expect, test } from 'vitest';
import { besideQuestions, GiveWay, manyQuestions } from '../src/give-way.js';
import { Pace } from '../src/pace.js';

const request = (route: string) =>
  ({ kind: 'request', id: '', method: 'GET', url: route, route, status: 200, milliseconds: 1 }) as const;

function watched() {
  const pace = Pace.of(100);
  const giveWay = new GiveWay(pace);
  const ask = (times: number, route = '/rates'): void => {
    for (let time = 0; time < times; time++) giveWay.observe(request(route));
  };
  return { pace, giveWay, ask };
}

test('loads give way at the first question too many, and until a look finds few', () => {
  const { pace, giveWay, ask } = watched();
  ask(manyQuestions - 1);
  expect(pace.percent).toBe(100);
  ask(1, '/rates/query');
  expect(pace.percent).toBe(besideQuestions);
  giveWay.look();
  expect(pace.percent).toBe(besideQuestions);
  ask(manyQuestions);
  giveWay.look();
  expect(pace.percent).toBe(besideQuestions);
  ask(manyQuestions - 1);
  giveWay.look();
  expect(pace.percent).toBe(100);
});

test('few questions between two looks do not add up, and other requests do not count', () => {
  const { pace, giveWay, ask } = watched();
  for (let look = 0; look < 3; look++) {
    ask(manyQuestions - 1);
    for (const route of ['/batches', '/batches/:id/parts/:part', '/health/ready', '/metrics'])
      ask(manyQuestions, route);
    giveWay.observe({ kind: 'answer-cache', outcome: 'hit' });
    giveWay.look();
    expect(pace.percent).toBe(100);
  }
});
