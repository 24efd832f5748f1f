// A result of bench/ingest as Markdown: where, of what, the rows, which goals are met. Pure.
import { fixed, table } from '../support/report.mjs';

export function renderIngest(result) {
  const { machine, settings, server } = result;
  const notes = result.rows.filter(({ note }) => note);
  return `# bench/ingest, ${result.date}

How fast a batch becomes visible beside COPY on the same server, and what it costs. How it is measured and how to read
it: [bench/README.md](../README.md).

- Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memory}; ${machine.kernel}; Node ${machine.node}, PostgreSQL ${server.postgres} (embedded)
- PostgreSQL, for both sides: wal_level ${server.wal_level}, fsync ${server.fsync}, synchronous_commit ${server.synchronous_commit}, shared_buffers ${server.shared_buffers}, max_wal_size ${server.max_wal_size}
- COPY: ${result.copy}
- Commit: ${result.commit}
- Command: \`${result.command}\`: ${settings.rounds} rounds, interleaved; medians, ratios by round; ${fixed(result.minutes, 1)} minutes

${table(
  ['case', 'against', 'goal', 'measured', 'met'],
  result.rows.map(({ name, against, goal, measured, met }) => [
    name,
    against,
    goal,
    measured,
    met ? 'yes' : 'no',
  ]),
)}
${notes.length === 0 ? '' : `\n${notes.map(({ name, note }) => `- ${name.replace(/:.*/, '')}: ${note}`).join('\n')}\n`}`;
}
