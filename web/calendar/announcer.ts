import { byId } from '../shared/elements.ts';

const VISIBLE_MS = 7_000;

/** Shows a message at the foot of the page for a few seconds. Screen readers announce it. */
export function createAnnouncer(): (text: string) => void {
  const line = byId('announcement', HTMLParagraphElement);
  let hiding: ReturnType<typeof setTimeout> | undefined;
  return (text) => {
    clearTimeout(hiding);
    line.textContent = text;
    line.classList.add('shown');
    hiding = setTimeout(() => {
      line.classList.remove('shown');
    }, VISIBLE_MS);
  };
}
