import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  version?: string;
  [field: string]: unknown;
}

const OWN_PACKAGE = /^(?:@appointment-emissions\/|appointment-emission-pipeline$)/;
/** Fields of a manifest that can name packages of ours. */
const DEPENDENCIES = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];

const RANGE = /(?<="(?:@appointment-emissions\/\w+|appointment-emission-pipeline)": "\^)[\d.]+(?=")/g;
/** Texts that quote the version, by file. */
const QUOTES: Readonly<Record<string, RegExp>> = {
  'packages/mcp/src/protocol.ts': /(?<=VERSION = ')[\d.]+(?=')/g,
  'clients/python/pyproject.toml': /(?<=^version = ")[\d.]+(?=")/gm,
  'examples/existing-backend/adoption-1-add.patch': RANGE,
  'examples/existing-backend/adoption-2-switch.patch': RANGE,
};
/** In each chart of Helm below `deploy/`. */
const CHART = /(?<=^(?:appVersion|version): ["']?)\d[\d.]+/gm;

/** The manifests and other files of a checkout that have the version. `CHANGELOG.md` is not among them. */
export function filesWithVersion(checkout: string): { manifests: string[]; quotes: [string, RegExp][] } {
  const packages = readdirSync(join(checkout, 'packages')).map((name) => `packages/${name}/package.json`);
  const deploy = join(checkout, 'deploy');
  const files = existsSync(deploy) ? readdirSync(deploy, { recursive: true, encoding: 'utf8' }) : [];
  const charts = files.filter((path) => path.endsWith('Chart.yaml'));
  return {
    manifests: ['package.json', ...packages, 'package-lock.json'],
    quotes: [
      ...Object.entries(QUOTES),
      ...charts.map((path): [string, RegExp] => [join('deploy', path), CHART]),
    ],
  };
}

/** Writes the version into all files of a checkout that have it. @throws if one of them does not have a version any more */
export function writeVersion(checkout: string, version: string): void {
  const { manifests, quotes } = filesWithVersion(checkout);
  for (const path of manifests) {
    const manifest = JSON.parse(readFileSync(join(checkout, path), 'utf8')) as Manifest;
    setVersion(manifest, version);
    const locked = (manifest.packages ?? {}) as Record<string, Manifest>;
    for (const [folder, entry] of Object.entries(locked))
      if (!folder.includes('node_modules/')) setVersion(entry, version);
    writeFileSync(join(checkout, path), `${JSON.stringify(manifest, null, 2)}\n`);
  }
  for (const [path, quote] of quotes) {
    const text = readFileSync(join(checkout, path), 'utf8');
    if (text.search(quote) < 0) throw new Error(`${path} has no version: change QUOTES in scripts/release`);
    writeFileSync(join(checkout, path), text.replaceAll(quote, version));
  }
}

/** Sets the version of a package, and of each package of ours that it depends on. */
function setVersion(manifest: Manifest, version: string): void {
  manifest.version = version;
  for (const field of DEPENDENCIES) {
    const dependencies = manifest[field] as Record<string, string> | undefined;
    for (const name of Object.keys(dependencies ?? {}))
      if (dependencies && OWN_PACKAGE.test(name)) dependencies[name] = version;
  }
}
