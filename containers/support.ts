/** A compose project of a test: a name, ports and volumes of its own, and nothing left of it afterwards. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { environment, freePort, root, until, type Outcome } from '../acceptance/support.js';

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  input?: string;
}

/** Runs a program to its end. */
export function runProgram(file: string, words: string[], options: RunOptions = {}): Promise<Outcome> {
  const { env = composeEnvironment(), cwd = root, input = '' } = options;
  return new Promise((resolve) => {
    const child = execFile(file, words, { env, cwd, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

export const docker = (words: string[], options?: RunOptions): Promise<Outcome> =>
  runProgram('docker', words, options);

/** Standard output, without the end of the line, of something that must not fail. */
export function must({ code, stdout, stderr }: Outcome): string {
  if (code !== 0) throw new Error(`it ended with ${code}:\n${stdout}\n${stderr}`);
  return stdout.trimEnd();
}

/** A user's environment in which nothing of ours, of PostgreSQL's or of compose's is set. */
export function composeEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(environment()).filter(
    ([name]) => !/^(COMPOSE_|POSTGRES_|PROMETHEUS_|REVISION$|INIT_CWD$)/.test(name),
  );
  // The same for every build, or each would be another image.
  return { ...Object.fromEntries(kept), REVISION: 'test', ...more };
}

export interface Inspected {
  Name: string;
  Mounts: { Type: string; Name?: string; Destination: string }[];
  RestartCount: number;
  State: { Pid: number; ExitCode: number; StartedAt: string; Status: string; Health?: { Status: string } };
  Config: { User: string; Env: string[]; Healthcheck?: { Test: string[] }; Labels: Record<string, string> };
  HostConfig: {
    Memory: number;
    NanoCpus: number;
    PidsLimit: number;
    ReadonlyRootfs: boolean;
    CapDrop: string[];
    Privileged: boolean;
    SecurityOpt: string[];
    RestartPolicy: { Name: string };
    PortBindings: Record<string, { HostIp: string }[]>;
  };
}

export class Project {
  private constructor(
    readonly name: string,
    readonly url: string,
    readonly postgresPort: number,
    readonly prometheusUrl: string,
    readonly env: NodeJS.ProcessEnv,
    private readonly folder: string,
  ) {}

  /** Names a project; starts nothing. `folder` is where compose.yaml lies. */
  static async named(more: Record<string, string> = {}, folder = root): Promise<Project> {
    const name = `fairway-test-${randomBytes(4).toString('hex')}`;
    const [port, postgresPort, prometheusPort] = [await freePort(), await freePort(), await freePort()];
    const env = composeEnvironment({
      COMPOSE_PROJECT_NAME: name,
      FAIRWAY_IMAGE: inject('image'),
      FAIRWAY_PORT: String(port),
      POSTGRES_PORT: String(postgresPort),
      PROMETHEUS_PORT: String(prometheusPort),
      ...more,
    });
    const local = (number: number): string => `http://127.0.0.1:${number}`;
    return new Project(name, local(port), postgresPort, local(prometheusPort), env, folder);
  }

  compose(words: string[], input?: string): Promise<Outcome> {
    const options = { env: this.env, cwd: this.folder };
    return docker(['compose', ...words], input === undefined ? options : { ...options, input });
  }

  /** `npm run containers -- WORDS`, without npm. */
  short(words: string[], more: Record<string, string> = {}): Promise<Outcome> {
    const script = join(root, 'scripts', 'containers.mjs');
    return runProgram(process.execPath, [script, ...words], { env: { ...this.env, ...more } });
  }

  /** Runs a block of shell commands as somebody would who reads the documentation. */
  shell(script: string, more: Record<string, string> = {}): Promise<Outcome> {
    return runProgram('sh', ['-euxc', script], { env: { ...this.env, ...more }, cwd: this.folder });
  }

  async up(words: string[] = []): Promise<void> {
    const outcome = await this.compose(['up', '--wait', ...words]);
    if (outcome.code === 0) return;
    const logs = await this.compose(['logs', '--no-color', '--tail', '30']);
    throw new Error(`up ended with ${outcome.code}:\n${outcome.stderr}\n${logs.stdout}`);
  }

  /** `index`: which of the containers of a service that has several. */
  async inspect(service: string, index = 1): Promise<Inspected> {
    const name = `${this.name}-${service}-${index}`;
    const [inspected] = JSON.parse(must(await docker(['inspect', name]))) as [Inspected];
    return inspected;
  }

  async healthy(service: string, index = 1): Promise<boolean> {
    return (await this.inspect(service, index)).State.Health?.Status === 'healthy';
  }

  /** Ends the container's main process as a crash would: `docker kill` counts as wanted, and nothing is restarted. */
  async crash(service: string, index = 1): Promise<void> {
    const before = await this.inspect(service, index);
    const kill = ['--rm', '--pid', 'host', '--user', '0', '--entrypoint', 'sh', inject('image')];
    must(await docker(['run', ...kill, '-c', `kill -9 ${before.State.Pid}`]));
    await until(
      async () => (await this.inspect(service, index)).RestartCount > before.RestartCount,
      30_000,
      `${service} is started again`,
    );
  }

  /** What is there of the project: containers, volumes, networks. */
  async remains(): Promise<string[]> {
    const filter = ['--filter', `label=com.docker.compose.project=${this.name}`];
    const lists = await Promise.all([
      docker(['ps', '--all', '--format', 'container {{.Names}}', ...filter]),
      docker(['volume', 'ls', '--format', 'volume {{.Name}}', ...filter]),
      docker(['network', 'ls', '--format', 'network {{.Name}}', ...filter]),
    ]);
    return lists.flatMap((list) => must(list).split('\n')).filter((line) => line !== '');
  }

  /** Takes everything away, whatever state it is in. */
  async remove(): Promise<void> {
    must(await this.compose(['--profile', '*', 'down', '--volumes', '--remove-orphans', '--timeout', '5']));
    for (const line of await this.remains()) {
      const [kind = '', thing = ''] = line.split(' ');
      if (kind === 'volume') must(await docker(['volume', 'rm', thing]));
    }
  }
}

/** The shell commands of the first block (or a later one, from 0) below a heading of a document. */
export function commandsBelow(document: string, heading: string, block = 0): string {
  const text = readFileSync(join(root, document), 'utf8');
  const start = text.search(new RegExp(`^#+ ${heading}$`, 'm'));
  const blocks = start < 0 ? [] : [...text.slice(start).matchAll(/^```sh\n([^]*?)^```$/gm)];
  const commands = blocks[block]?.[1];
  if (commands === undefined) throw new Error(`${document} has no commands below '${heading}'`);
  return commands;
}
