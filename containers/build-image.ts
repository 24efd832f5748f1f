/** Builds the image once for all container tests, under a name of this run, and takes it away at the end. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { shared } from '../acceptance/support.js';
import { docker, must, composeEnvironment } from './support.js';

declare module 'vitest' {
  export interface ProvidedContext {
    image: string;
  }
}

export default async function setup(test: TestProject): Promise<() => Promise<void>> {
  const engine = await docker(['version', '--format', '{{.Server.Version}}']);
  if (engine.code !== 0) throw new Error(`the container tests need Docker: ${engine.stderr}`);
  if (!existsSync(join(shared, 'contract'))) throw new Error(`the container tests need ${shared}`);
  const image = `fairway-test-${randomBytes(4).toString('hex')}`;
  const env = composeEnvironment({ FAIRWAY_IMAGE: image, COMPOSE_PROJECT_NAME: image });
  must(await docker(['compose', 'build', 'service'], { env }));
  test.provide('image', image);
  return async () => void must(await docker(['rmi', '--force', image]));
}
