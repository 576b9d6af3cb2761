/**
 * States are made of texts that contain random ids: epochs, order tokens, ids of reads. The code compares such ids, but it never
 * sorts or prints them. So two states that differ only in the names of their ids behave alike, and count as one. A part keeps a
 * text and its ids apart, so that an id is renamed without touching the text.
 */
export interface Part {
  /** Number of the text, in which the n-th distinct id is called `idName(n)`. */
  readonly shape: number;
  /** The ids that these names stand for. */
  readonly ids: readonly number[];
}

const ID = /ID\d{14}/g;
/** Ids that a step creates are numbered from here, before the state is renumbered. */
export const FIRST_FRESH_ID = 1_000;

/** 16 characters, as every random id has. */
export const idName = (id: number): string => `ID${String(id).padStart(14, '0')}`;

const texts: string[] = [];
const shapes = new Map<string, number>();

function intern(text: string): number {
  const known = shapes.get(text);
  if (known !== undefined) return known;
  shapes.set(text, texts.length);
  return texts.push(text) - 1;
}

const rename = (text: string, to: (id: number) => number): string =>
  text.replace(ID, (name) => idName(to(Number(name.slice(2)))));

export function toPart(text: string): Part {
  const ids: number[] = [];
  return { shape: intern(rename(text, (id) => indexIn(ids, id))), ids };
}

/** The text of a part, with the names of its ids in the state. */
export function textOf({ shape, ids }: Part): string {
  return rename(shapeText(shape), (index) => ids[index] as number);
}

/** The text of a part up to the names of its ids. */
export const shapeText = (shape: number): string => texts[shape] as string;

function indexIn(ids: number[], id: number): number {
  const index = ids.indexOf(id);
  return index >= 0 ? index : ids.push(id) - 1;
}

export const EMPTY = toPart('');

/** The number of an id that does not occur in any state yet. One step numbers its new ids consecutively. */
export interface IdSource {
  next: () => number;
}

export function createIdSource(): IdSource {
  let next = FIRST_FRESH_ID;
  return { next: () => next++ };
}

/**
 * A function of texts whose results are kept: for texts that differ only in the names of their ids it runs once. New ids in its
 * results are `idName(FIRST_FRESH_ID)` and above.
 */
export function memoize(
  run: (...inputs: string[]) => string[] | Promise<string[]>,
): (ids: IdSource, ...inputs: Part[]) => Part[] | Promise<Part[]> {
  const kept = new Map<string, readonly Part[]>();
  return (source, ...inputs) => {
    const ids: number[] = [];
    let key = '';
    for (const { shape, ids: own } of inputs) {
      key += `${shape}`;
      for (const id of own) key += `,${indexIn(ids, id)}`;
      key += ';';
    }
    const known = kept.get(key);
    if (known) return inState(known, ids, source);
    const keep = (results: readonly string[]): Part[] => {
      const parts = results.map(toPart);
      kept.set(key, parts);
      return inState(parts, ids, source);
    };
    const inputTexts = inputs.map(({ shape, ids: own }) =>
      textOf({ shape, ids: own.map((id) => ids.indexOf(id)) }),
    );
    const results = run(...inputTexts);
    return Array.isArray(results) ? keep(results) : results.then(keep);
  };
}

/** Replaces the ids of a kept result by those of the state. */
function inState(parts: readonly Part[], ids: readonly number[], source: IdSource): Part[] {
  const fresh = new Map<number, number>();
  return parts.map(({ shape, ids: own }) => ({
    shape,
    ids: own.map((id) => {
      if (id < FIRST_FRESH_ID) return ids[id] as number;
      const known = fresh.get(id) ?? source.next();
      fresh.set(id, known);
      return known;
    }),
  }));
}

/** Numbers the ids of a state in the order in which they occur. Parts whose ids keep their numbers are shared. */
export function renumber(parts: readonly Part[]): Part[] {
  const ids: number[] = [];
  return parts.map((part) => {
    const renamed = part.ids.map((id) => indexIn(ids, id));
    const isSame = renamed.every((id, index) => id === part.ids[index]);
    return isSame ? part : { shape: part.shape, ids: renamed };
  });
}
