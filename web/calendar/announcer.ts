import { byId } from './elements.ts';

const SHOWN_MS = 7_000;

/** Says what happened: for a moment at the foot of the page, and politely to screen readers. */
export function createAnnouncer(): (text: string) => void {
  const line = byId('announcement', HTMLParagraphElement);
  let hiding: ReturnType<typeof setTimeout> | undefined;
  return (text) => {
    clearTimeout(hiding);
    line.textContent = text;
    line.classList.add('shown');
    hiding = setTimeout(() => {
      line.classList.remove('shown');
    }, SHOWN_MS);
  };
}
