/** See `keepTickShape`. */
import { createHook } from 'node:async_hooks';

const kept: object[] = [];

/**
 * Keeps the shape of what `process.nextTick` queues known to V8, which forgets a shape that no living object has: where it
 * collects between two ticks early on, each later tick takes a slow way, for 6 to 12 % of the processor under load, in
 * three starts of ten (docs/decisions/0004). One tick that lives on prevents it.
 */
export function keepTickShape(): void {
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === 'TickObject') kept.push(resource);
    },
  }).enable();
  process.nextTick(() => undefined);
  hook.disable();
}
