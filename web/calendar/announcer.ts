import type { Id } from '@appointment-emissions/contracts';
import { byId, setText } from '../shared/elements.ts';

export interface MessageLine {
  /**
   * Shows a message for some seconds. Screen readers announce it.
   * @param link an appointment that is out of view: the message gets a button that shows it
   */
  announce: (text: string, link?: Id) => void;
}

const VISIBLE_MS = 8_000;

/** Manages the line for messages at the foot of the page. While the pointer or the focus is on it, the message stays. */
export function createAnnouncer(onLink: (id: Id) => void): MessageLine {
  const box = byId('announced', HTMLDivElement);
  const line = byId('announcement', HTMLParagraphElement);
  const button = byId('show-announced', HTMLButtonElement);
  let hiding: ReturnType<typeof setTimeout> | undefined;
  let linked: Id | undefined;

  function hideLater(): void {
    clearTimeout(hiding);
    hiding = setTimeout(() => {
      if (box.matches(':hover, :focus-within')) hideLater();
      else hide();
    }, VISIBLE_MS);
  }

  function hide(): void {
    box.dataset.shown = 'false';
    button.hidden = true;
  }

  button.addEventListener('click', () => {
    if (linked !== undefined) onLink(linked);
    hide();
  });

  return {
    announce(text, link) {
      linked = link;
      button.hidden = link === undefined;
      setText(line, text);
      box.dataset.shown = 'true';
      hideLater();
    },
  };
}
