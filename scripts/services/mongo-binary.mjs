import { findOnPath } from '../process/on-path.mjs';
import { run } from '../process/run.mjs';
import { chosenBranch } from './branch.mjs';
import { downloadMongod } from './mongod-download.mjs';
import { ensurePythonPackages, pythonEnv } from './python-packages.mjs';

const PACKAGE = 'SecantusDB==0.7.0b3';

/**
 * @typedef {'mongod' | 'secantus'} MongoKind
 * @typedef {{ kind: MongoKind, command: string, args: string[], env?: NodeJS.ProcessEnv }} MongoCommand
 */

/**
 * The server's command: `mongod` on PATH, else downloaded, else the server in a Python package that speaks MongoDB's
 * protocol. RUNTIME_MONGO forces a branch.
 * @param {{ log?: ((line: string) => void) | undefined }} options
 * @returns {Promise<MongoCommand>}
 */
export async function findMongo({ log = () => undefined } = {}) {
  const branch = chosenBranch('RUNTIME_MONGO', ['path', 'download', 'wheel']);
  if (branch === undefined || branch === 'path') {
    const onPath = findOnPath(['mongod']);
    if (onPath && (await runs(onPath))) return { kind: 'mongod', command: onPath, args: [] };
    if (branch === 'path') throw new Error('RUNTIME_MONGO=path, but PATH has no mongod that runs');
  }
  if (branch === undefined || branch === 'download') {
    const { file, reason } = await downloadMongod({ log, forced: branch === 'download' });
    if (file && (await runs(file))) return { kind: 'mongod', command: file, args: [] };
    const why = reason ?? 'it does not run on this machine';
    if (branch === 'download') throw new Error(`RUNTIME_MONGO=download, but mongod can't be had: ${why}`);
  }
  const { python, packages } = await ensurePythonPackages({
    name: 'secantus',
    requirements: [PACKAGE],
    purpose: 'a MongoDB-compatible server (SecantusDB)',
    otherwise: 'install mongod, or set MONGODB_URI',
    log,
  });
  return {
    kind: 'secantus',
    command: python,
    args: ['-m', 'secantus'],
    env: pythonEnv({ PYTHONPATH: packages }),
  };
}

async function runs(/** @type {string} */ file) {
  return (await run(file, ['--version'])).ok;
}
