import { command } from '../process/command.ts';
import { findOnPath, prescribedSource } from './find-program.ts';
import { downloadMongod } from './mongod-download.ts';
import { ensurePythonPackages, pythonEnv } from './python-packages.ts';

const PACKAGE = 'SecantusDB==0.7.0b3';

export interface MongoCommand {
  kind: 'mongod' | 'secantus';
  command: string;
  args: string[];
  /** The whole environment; default: that of this process. */
  env?: NodeJS.ProcessEnv;
}

/**
 * Finds a MongoDB server: `mongod` on PATH, else downloaded, else a Python package with a server that speaks MongoDB's
 * protocol. RUNTIME_MONGO prescribes one of the three.
 */
export async function findMongo({ log }: { log: (line: string) => void }): Promise<MongoCommand> {
  const source = prescribedSource('RUNTIME_MONGO', ['path', 'download', 'wheel']);
  if (source === undefined || source === 'path') {
    const onPath = findOnPath(['mongod']);
    if (onPath && (await runs(onPath))) return { kind: 'mongod', command: onPath, args: [] };
    if (source === 'path') throw new Error('RUNTIME_MONGO=path, but PATH has no mongod that runs');
  }
  if (source === undefined || source === 'download') {
    const { file, reason } = await downloadMongod({ log, retry: source === 'download' });
    if (file && (await runs(file))) return { kind: 'mongod', command: file, args: [] };
    const why = reason ?? 'it does not run on this machine';
    if (source === 'download') throw new Error(`RUNTIME_MONGO=download, but mongod cannot be used: ${why}`);
  }
  const { python, packages } = await ensurePythonPackages({
    name: 'secantus',
    requirements: [PACKAGE],
    purpose: 'a MongoDB-compatible server (SecantusDB)',
    alternative: 'install mongod, or set MONGODB_URI',
    log,
  });
  return {
    kind: 'secantus',
    command: python,
    args: ['-m', 'secantus'],
    env: { ...process.env, ...pythonEnv({ PYTHONPATH: packages }) },
  };
}

async function runs(file: string): Promise<boolean> {
  return !(await command(file, ['--version'])).failed;
}
