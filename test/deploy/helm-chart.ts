import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { findHelm } from '../../scripts/services/helm.ts';
import { ROOT } from '../docs/pages.ts';
import { childEnv } from '../harness/child-env.ts';
import type { Manifest } from './manifests.ts';

const run = promisify(execFile);
const CHART = join(ROOT, 'deploy', 'helm');

export type Values = Record<string, unknown>;

/** Helm for the chart. `undefined`, and a line on stderr, if Helm cannot be built here. */
export async function openHelm(): Promise<Helm | undefined> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const found = await findHelm({ log });
  if ('file' in found) return new Helm(found.file, await mkdtemp(join(tmpdir(), 'helm-')));
  log(`the chart was not rendered: it needs Helm, and ${found.reason}`);
  return undefined;
}

export class Helm {
  readonly #file: string;
  readonly #dir: string;

  constructor(file: string, dir: string) {
    this.#file = file;
    this.#dir = dir;
  }

  /** The objects that `helm install` would create. Values are YAML, or are written as YAML. @throws Error with Helm's message */
  async render(values: Values | string = {}, release = 'shop'): Promise<Manifest[]> {
    const out = await this.#run(
      'template',
      release,
      CHART,
      '--namespace',
      'calendar',
      ...(await this.#given(values)),
    );
    return parseAllDocuments(out)
      .map((document): Manifest => document.toJS())
      .filter((manifest) => manifest !== null);
  }

  async lint(values: Values | string = {}): Promise<string> {
    return this.#run('lint', '--strict', CHART, ...(await this.#given(values)));
  }

  async close(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #given(values: Values | string): Promise<string[]> {
    // Helm reads YAML 1.1, in which on and off are booleans.
    const file = join(this.#dir, 'values.yaml');
    await writeFile(file, typeof values === 'string' ? values : stringify(values, { version: '1.1' }));
    return ['--values', file];
  }

  async #run(...args: string[]): Promise<string> {
    // Without the settings, plugins and repositories of this machine's user.
    const home = { HELM_CONFIG_HOME: this.#dir, HELM_CACHE_HOME: this.#dir, HELM_DATA_HOME: this.#dir };
    try {
      const { stdout } = await run(this.#file, args, { env: childEnv(home) });
      return stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${stderr}${stdout}`, { cause: error });
    }
  }
}
