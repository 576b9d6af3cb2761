import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The fields used here of a profile that Node writes with `--cpu-prof`. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

/** `share`: of the time in which the process was not idle. */
export interface ProfileRow {
  what: string;
  share: number;
}

export interface ProfileTable {
  /** Share of the time in which the process was not idle. */
  busy: number;
  byPackage: ProfileRow[];
  byFunction: ProfileRow[];
}

const MAX_ROWS = 30;
const ROOT = new URL('../..', import.meta.url).href;

/** Sums the self time of all profiles in a folder by package (or by our own folder) and by function, largest first. */
export function readProfiles(dir: string): ProfileTable {
  const byPackage = new Map<string, number>();
  const byFunction = new Map<string, number>();
  const add = (totals: Map<string, number>, what: string, durationMicros: number): void => {
    totals.set(what, (totals.get(what) ?? 0) + durationMicros);
  };
  let busy = 0;
  let idle = 0;
  for (const file of readdirSync(dir).filter((name) => name.endsWith('.cpuprofile'))) {
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as CpuProfile;
    const owners = ownersOf(nodes);
    const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
    samples.forEach((id, index) => {
      const name = names.get(id) ?? '';
      const durationMicros = timeDeltas[index] ?? 0;
      if (name === '(idle)') {
        idle += durationMicros;
        return;
      }
      const owner = owners.get(id) ?? '';
      busy += durationMicros;
      add(byPackage, owner, durationMicros);
      add(byFunction, name.startsWith('(') ? name : `${name || '(anonymous)'} · ${owner}`, durationMicros);
    });
  }
  const rows = (totals: Map<string, number>): ProfileRow[] =>
    [...totals]
      .map(([what, durationMicros]) => ({ what, share: durationMicros / busy }))
      .sort((a, b) => b.share - a.share)
      .slice(0, MAX_ROWS);
  return { busy: busy / (busy + idle), byPackage: rows(byPackage), byFunction: rows(byFunction) };
}

/** Maps each node to its package or folder. Native code of V8 and Node is attributed to its caller. */
function ownersOf(nodes: CpuProfile['nodes']): Map<number, string> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const owners = new Map<number, string>();
  for (const { id } of nodes) {
    let at: number | undefined = id;
    while (at !== undefined && frames.get(at)?.url === '' && parents.has(at)) at = parents.get(at);
    const { url = '', functionName = '' } = frames.get(at ?? id) ?? {};
    const own = frames.get(id)?.functionName ?? '';
    owners.set(id, own.startsWith('(') ? own : url === '' ? functionName : ownerOf(url));
  }
  return owners;
}

/** For example `express`, `node:http` or `src/http`. */
function ownerOf(url: string): string {
  if (url.startsWith('node:')) return url;
  const packages = url.split('/node_modules/');
  if (packages.length > 1) {
    const [scope = '', name = ''] = packages.at(-1)!.split('/');
    return scope.startsWith('@') ? `${scope}/${name}` : scope;
  }
  return url.startsWith(ROOT) ? dirname(url.slice(ROOT.length)) : url;
}
