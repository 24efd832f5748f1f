/** What OpenAPI says beside the routes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { packageRoot } from '../config.js';

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  version: string;
};

export const openApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Fairway',
      version,
      description:
        'Freight rates: the average price per day between two ports or regions. Errors are problem documents (RFC 9457) whose `code` is explained in docs/errors.md. Every answer that comes from data names its revision.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: [
      { name: 'Rates' },
      { name: 'Time' },
      { name: 'Batches' },
      { name: 'Places' },
      { name: 'Operation' },
    ],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
  },
  hideUntagged: true,
};
