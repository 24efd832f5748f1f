// Who may import whom, where SQL may stand, who may change what is visible. Pure: files in, faults out.
import { dirname, join, normalize } from 'node:path';

/** Folders of src/ (a file directly in src/ is `base`) and what each may import. */
const mayImport = {
  base: ['base'],
  sample: ['base', 'sample'],
  observe: ['base', 'observe'],
  database: ['base', 'database'],
  access: ['base', 'database', 'access'],
  ingest: ['base', 'database', 'sample', 'ingest'],
  query: ['base', 'database', 'query'],
  http: ['base', 'database', 'access', 'ingest', 'query', 'http'],
  cli: ['base', 'database', 'access', 'ingest', 'query', 'http', 'observe', 'sample', 'cli'],
};

/** Packages that belong to one layer. */
const packageLayers = {
  fastify: ['http'],
  commander: ['cli'],
  pino: ['observe'],
  'prom-client': ['observe'],
  'pg-copy-streams': ['ingest'],
};

const statement =
  /[`'"]\s*(select\s|insert into\s|update\s+\w+\.|delete from\s|copy\s+[\w(]|create (table|schema|index)|alter table|truncate\s)/i;
const changesVisibility = /\b(publish[A-Z]\w*|withdraw[A-Z]\w*)\b/;
const visibilityFiles = ['src/ingest/publish.ts', 'src/ingest/withdraw.ts'];

const layerOf = (path) => {
  const parts = path.split('/');
  return parts.length === 2 ? 'base' : parts[1];
};

/** Faults of a tree given as [{ path: 'src/…', text }], as `path:line: what is wrong`. */
export function structureFaults(files) {
  return files.flatMap((file) => (file.path === 'src/main.ts' ? [] : faultsOf(file)));
}

function faultsOf({ path, text }) {
  const layer = layerOf(path);
  const faults = [];
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    const say = (message) => faults.push(`${path}:${index + 1}: ${message}`);
    const imported = /(?:from|import\()\s*'([^']+)'/.exec(line)?.[1];
    if (imported?.startsWith('.')) {
      const target = normalize(join(dirname(path), imported)).replace(/\.js$/, '.ts');
      if (!(mayImport[layer] ?? []).includes(layerOf(target)))
        say(`${layer} must not import ${layerOf(target)}`);
    } else if (imported) {
      const name = imported.startsWith('@') ? imported : (imported.split('/')[0] ?? '');
      const layers = packageLayers[name];
      if (layers && !layers.includes(layer)) say(`only ${layers.join(', ')} imports ${name}`);
    }
    if (statement.test(line) && layer !== 'database' && !path.endsWith('/sql.ts')) {
      say('SQL stands in sql.ts files and in database/ only');
    }
  });
  for (const match of text.matchAll(/import\s*(?:type\s*)?\{([^}]*)\}\s*from\s*'[^']*\/sql\.js'/g)) {
    const names = (match[1] ?? '').split(',').map((name) => name.trim());
    const changing = names.filter(
      (name) => !name.startsWith('type ') && /^[a-z]/.test(name) && changesVisibility.test(name),
    );
    if (changing.length > 0 && !visibilityFiles.includes(path)) {
      const line = text.slice(0, match.index).split('\n').length;
      faults.push(
        `${path}:${line}: ${changing.join(', ')} changes what is visible; only publish.ts and withdraw.ts may`,
      );
    }
  }
  return faults;
}
