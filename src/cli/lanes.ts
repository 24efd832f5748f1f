/** The lanes that a command asks about: in go its words and a file, out come pairs of places. */
import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import { FairwayError, messageOf } from '../errors.js';
import { mostQuestions } from '../http/query-contract.js';

/** Each end a port's code or a region's slug. */
export interface Lane {
  origin: string;
  destination: string;
}

interface LaneWords {
  /** Further lanes, each FROM:TO. */
  lane: readonly string[];
  /** A file with a lane a line, as ORIGIN,DESTINATION, or - for standard input. */
  lanes?: string;
}

/** That of the two words first, if any, then the others as they stand. Throws `usage`, `file_unreadable`. */
export async function readLanes(
  [origin, destination]: readonly string[],
  { lane, lanes: file }: LaneWords,
): Promise<Lane[]> {
  if (origin !== undefined && destination === undefined) throw missing('destination');
  const lanes = [
    ...(origin === undefined || destination === undefined ? [] : [{ origin, destination }]),
    ...lane.map((word) => laneOf(word, ':', `--lane: '${word}' is not ORIGIN:DESTINATION`)),
    ...(file === undefined ? [] : lanesOfText(await read(file), file)),
  ];
  if (lanes.length === 0) throw missing('origin');
  if (lanes.length > mostQuestions)
    throw new FairwayError(
      'usage',
      `${lanes.length} lanes are asked about, and ${mostQuestions} are the most at once; ask in several commands`,
    );
  return lanes;
}

const missing = (argument: string): FairwayError =>
  new FairwayError(
    'usage',
    `missing required argument '${argument}'; 'fairway rates ORIGIN DESTINATION', --lane or --lanes name what is asked about`,
  );

/** Blank lines, and a header, are passed over. */
function lanesOfText(content: string, file: string): Lane[] {
  return content.split('\n').flatMap((line, index) => {
    const words = line.replaceAll('"', '').trim();
    if (words === '' || (index === 0 && /^orig\w*\s*,\s*dest\w*$/i.test(words))) return [];
    return [
      laneOf(words, ',', `${file}, line ${index + 1}: '${words.slice(0, 80)}' is not ORIGIN,DESTINATION`),
    ];
  });
}

/** Throws `usage` with the message. */
function laneOf(words: string, separator: string, message: string): Lane {
  const [origin = '', destination = '', ...more] = words.split(separator).map((word) => word.trim());
  if (origin === '' || destination === '' || more.length > 0) throw new FairwayError('usage', message);
  return { origin, destination };
}

async function read(file: string): Promise<string> {
  try {
    return await text(file === '-' ? process.stdin : createReadStream(file));
  } catch (error) {
    throw new FairwayError('file_unreadable', `--lanes: ${messageOf(error)}`, { cause: error });
  }
}
