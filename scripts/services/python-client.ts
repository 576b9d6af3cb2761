import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { PROJECT_DIR } from '../paths.mjs';
import { command, excerptOf } from '../process/command.ts';
import { ensurePythonPackages, pythonEnv } from './python-packages.ts';

/** The Python client. */
export const PYTHON_CLIENT = join(PROJECT_DIR, 'clients', 'python');

export interface ClientPython {
  python: string;
  /** The environment in which `python` finds the client's sources and tools. */
  env: Record<string, string | undefined>;
}

/** Installs the tools of the Python client below `.runtime`, unless they are there already. */
export async function ensureClientPython(log: (line: string) => void): Promise<ClientPython> {
  const pinned = readFileSync(join(PYTHON_CLIENT, 'requirements-dev.txt'), 'utf8');
  const { python, packages } = await ensurePythonPackages({
    name: 'client',
    requirements: pinned.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    purpose: 'the tools of the Python client',
    alternative: 'leave out its tests',
    log,
  });
  const path = [join(PYTHON_CLIENT, 'src'), packages].join(delimiter);
  return { python, env: pythonEnv({ PYTHONPATH: path, PYTHONDONTWRITEBYTECODE: '1' }) };
}

/** Builds the wheel of the Python client in this folder. @param source  the client of another checkout */
export async function buildWheel(
  { python, env }: ClientPython,
  folder: string,
  source = PYTHON_CLIENT,
): Promise<void> {
  const args = ['-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation', '--wheel-dir', folder];
  const options = ['--disable-pip-version-check', '--no-input', '--quiet'];
  const pip = await command(python, [...args, ...options, source], { env });
  if (pip.failed) throw new Error(`the wheel could not be built:\n${excerptOf(pip)}`);
}
