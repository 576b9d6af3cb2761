import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIME_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { withLock } from '../process/lock.mjs';

const CONSTRAINTS = join(import.meta.dirname, 'python-constraints.txt');

interface PythonEnvironment {
  /** The interpreter. */
  python: string;
  /** The folder that contains the packages. */
  packages: string;
}

interface PythonRequest {
  /** Name of the environment's folder. */
  name: string;
  /** `name==version`. */
  requirements: string[];
  /** Default true. */
  withDependencies?: boolean;
  /** What is installed, for messages. */
  purpose: string;
  /** What the user can do instead, for messages. */
  alternative: string;
  log: (line: string) => void;
}

/** Installs Python packages into an environment below `.runtime`, unless they are there already. */
export async function ensurePythonPackages(request: PythonRequest): Promise<PythonEnvironment> {
  mkdirSync(RUNTIME_DIR, { recursive: true });
  // A copy of the checkout, such as that of a mutation, links this folder. An environment works under one path only: with the
  // link's path, the copy would replace the environment while other programs use it.
  const runtimeDir = realpathSync(RUNTIME_DIR);
  const dir = join(runtimeDir, 'python', request.name);
  const installed = readStamp(dir, request);
  if (installed) return installed;
  const lock = join(runtimeDir, 'locks', `python-${request.name}.lock`);
  return withLock(lock, async () => readStamp(dir, request) ?? (await install(dir, request)), {
    onWait: (pid) => {
      request.log(`waiting for process ${pid}, which is installing ${request.purpose}`);
    },
  });
}

async function install(dir: string, request: PythonRequest): Promise<PythonEnvironment> {
  const { requirements, withDependencies = true, purpose, alternative, log } = request;
  log(`installing ${purpose} from the Python package index (${requirements.join(', ')})`);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  const { python, pipArgs } = await makeEnvironment(dir, request);
  const args = ['-m', 'pip', 'install', ...pipArgs, '--only-binary', ':all:', '--progress-bar', 'off'];
  args.push('--disable-pip-version-check', '--no-input', '-c', CONSTRAINTS);
  if (!withDependencies) args.push('--no-deps');
  const running = command(python, [...args, ...requirements], { env: pythonEnv() });
  for await (const line of running.iterable()) {
    const [, name] = /^Collecting (\S+)/.exec(line) ?? [];
    if (name !== undefined) log(`  ${name}`);
  }
  const pip = await running;
  if (pip.failed)
    throw new Error(`pip could not install ${purpose}; ${alternative}. pip printed:\n${excerptOf(pip)}`);
  const packages = await packagesFolder(dir, python, pipArgs.length > 0);
  // Written last: an interrupted installation has no stamp, and starts again.
  const stamp = { requirements, dir, python, interpreter: realpathSync(python), packages };
  writeFileSync(stampFile(dir), JSON.stringify(stamp));
  return { python, packages };
}

/** Makes a virtual environment or, if Python lacks that module, a plain folder. */
async function makeEnvironment(
  dir: string,
  { purpose, alternative }: PythonRequest,
): Promise<{ python: string; pipArgs: string[] }> {
  const env = pythonEnv();
  const venv = await command('python3', ['-m', 'venv', dir], { env });
  const help = `to get ${purpose}, or ${alternative}`;
  if (venv.code === 'ENOENT')
    throw new Error(`there is no python3. Install it (apt-get install python3-venv) ${help}`);
  if (!venv.failed) return { python: join(dir, 'bin', 'python3'), pipArgs: [] };
  if ((await command('python3', ['-m', 'pip', '--version'], { env })).failed)
    throw new Error(`python3 has neither venv nor pip. Install one (apt-get install python3-venv) ${help}`);
  const { stdout } = await command('python3', ['-c', 'import sys; print(sys.executable)'], { env });
  rmSync(dir, { recursive: true, force: true }); // an unfinished virtual environment
  mkdirSync(dir, { recursive: true });
  return { python: stdout, pipArgs: ['--target', join(dir, 'packages')] };
}

async function packagesFolder(dir: string, python: string, isPlain: boolean): Promise<string> {
  if (isPlain) return join(dir, 'packages');
  const print = 'import sysconfig; print(sysconfig.get_path("platlib"))';
  return (await command(python, ['-c', print], { env: pythonEnv() })).stdout;
}

function readStamp(dir: string, { requirements }: PythonRequest): PythonEnvironment | undefined {
  try {
    const stamp = JSON.parse(readFileSync(stampFile(dir), 'utf8')) as PythonEnvironment & {
      requirements: string[];
      dir: string;
      interpreter: string;
    };
    const matches = stamp.dir === dir && String(stamp.requirements) === String(requirements);
    // After an upgrade of Python, or if the checkout was moved, the environment does not work any more.
    const works = realpathSync(stamp.python) === stamp.interpreter && existsSync(stamp.packages);
    return matches && works ? stamp : undefined;
  } catch {
    return undefined;
  }
}

function stampFile(dir: string): string {
  return join(dir, '.stamp');
}

/** Additions to the environment: the user's own Python settings must not change which packages are found. */
export function pythonEnv(additions: Record<string, string> = {}): Record<string, string | undefined> {
  return {
    PYTHONNOUSERSITE: '1',
    PYTHONUNBUFFERED: '1',
    PYTHONHOME: undefined,
    PYTHONPATH: undefined,
    ...additions,
  };
}
