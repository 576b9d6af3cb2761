import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What Node writes with `--cpu-prof`; only what is read here. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[];
  samples: number[];
  timeDeltas: number[];
}

/** A share of the time that a process was not idle. */
export interface ProfileRow {
  what: string;
  share: number;
}

export interface ProfileTable {
  /** Share of the time that it had something to do. */
  busy: number;
  byPackage: ProfileRow[];
  byFunction: ProfileRow[];
}

const MOST_ROWS = 30;
const ROOT = new URL('../..', import.meta.url).href;

/** Self time of all profiles in a folder, by package (or by folder of ours) and by function, the largest first. */
export function readProfiles(dir: string): ProfileTable {
  const byPackage = new Map<string, number>();
  const byFunction = new Map<string, number>();
  const add = (to: Map<string, number>, what: string, took: number): void => {
    to.set(what, (to.get(what) ?? 0) + took);
  };
  let busy = 0;
  let idle = 0;
  for (const file of readdirSync(dir).filter((name) => name.endsWith('.cpuprofile'))) {
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(join(dir, file), 'utf8')) as CpuProfile;
    const places = placesOf(nodes);
    const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame.functionName]));
    samples.forEach((id, index) => {
      const name = names.get(id) ?? '';
      const took = timeDeltas[index] ?? 0;
      if (name === '(idle)') {
        idle += took;
        return;
      }
      const place = places.get(id) ?? '';
      busy += took;
      add(byPackage, place, took);
      add(byFunction, name.startsWith('(') ? name : `${name || '(anonymous)'} · ${place}`, took);
    });
  }
  const rows = (of: Map<string, number>): ProfileRow[] =>
    [...of]
      .map(([what, took]) => ({ what, share: took / busy }))
      .sort((a, b) => b.share - a.share)
      .slice(0, MOST_ROWS);
  return { busy: busy / (busy + idle), byPackage: rows(byPackage), byFunction: rows(byFunction) };
}

/** By node. What V8 and Node do natively counts for whoever called it. */
function placesOf(nodes: CpuProfile['nodes']): Map<number, string> {
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const places = new Map<number, string>();
  for (const { id } of nodes) {
    let at: number | undefined = id;
    while (at !== undefined && frames.get(at)?.url === '' && parents.has(at)) at = parents.get(at);
    const { url = '', functionName = '' } = frames.get(at ?? id) ?? {};
    const own = frames.get(id)?.functionName ?? '';
    places.set(id, own.startsWith('(') ? own : url === '' ? functionName : placeOf(url));
  }
  return places;
}

/** `express`, `node:http`, `src/http`. */
function placeOf(url: string): string {
  if (url.startsWith('node:')) return url;
  const packages = url.split('/node_modules/');
  if (packages.length > 1) {
    const [scope = '', name = ''] = packages.at(-1)!.split('/');
    return scope.startsWith('@') ? `${scope}/${name}` : scope;
  }
  return url.startsWith(ROOT) ? dirname(url.slice(ROOT.length)) : url;
}
