/** One line on a terminal over all parts, as `../progress.ts` has it of one request. */
import { count, type Context } from '../../context.js';
import { describeProgress, lineOn, type Line } from '../progress.js';
import type { Source } from '../source.js';
import type { Part } from './parts.js';

type Weighed = Pick<Part, 'number' | 'size' | 'weight'>;

export class PartsProgress {
  readonly #line: Line;
  readonly #size: number;
  readonly #begun = performance.now();
  /** Bytes of the last try of each part that is under way. */
  readonly #sent = new Map<number, number>();
  readonly #underWay = new Map<number, Weighed>();
  #stored = 0;
  /** Bytes of bodies that arrived. */
  #through = 0;
  /** Bytes of the file that arrived, by this command or before. */
  #done = 0;
  #before = 0;
  #last = 0;

  constructor({ stderr }: Context, { size }: Source) {
    this.#line = lineOn(stderr);
    this.#size = size;
  }

  /** A try of a part begins; what it sends is told to the function that comes back. */
  begin(part: Weighed): (chunk: Buffer) => void {
    this.#underWay.set(part.number, part);
    this.#sent.set(part.number, 0);
    return ({ length }) => {
      this.#sent.set(part.number, (this.#sent.get(part.number) ?? 0) + length);
      this.#show();
    };
  }

  /** A part arrived, whatever its verdict; `before`: by an earlier run. */
  arrived(part: Weighed, before: boolean): void {
    this.#underWay.delete(part.number);
    this.#sent.delete(part.number);
    this.#stored++;
    this.#done += part.weight;
    if (before) this.#before += part.weight;
    else this.#through += part.size;
    this.#show();
  }

  /** Grows as long as anything gets through, with the try of that part or with others. */
  through({ number }: Weighed): number {
    return this.#through + (this.#sent.get(number) ?? 0);
  }

  say(words: string): void {
    this.#line.say(words);
  }

  clear(): void {
    this.#line.clear();
  }

  #show(): void {
    const now = performance.now();
    if (!this.#line.shows || now - this.#last < 200) return;
    this.#last = now;
    let sent = this.#done;
    for (const { number, size, weight } of this.#underWay.values())
      sent += (Math.min(this.#sent.get(number) ?? 0, size) / size) * weight;
    const milliseconds = now - this.#begun;
    const words = describeProgress({ sent, before: this.#before, size: this.#size, milliseconds });
    this.#line.say(`${words}, ${count(this.#stored)} parts arrived`);
  }
}
