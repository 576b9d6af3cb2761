import { byId, create } from '../shared/elements.ts';

const PHONE = '(width < 48rem)';
const HAS_ROOM = '(width >= 64rem)';

/** Lets a button open the chat, on screens where it has no place beside the calendar (chat.css decides). Escape closes it. */
export function connectDrawer(panel: HTMLElement): void {
  const toggle = byId('chat-toggle', HTMLButtonElement);
  const close = create('button', 'chat-close', '×');
  close.type = 'button';
  close.ariaLabel = 'Close the chat';
  panel.prepend(close);
  toggle.hidden = false;

  function setOpen(isOpen: boolean): void {
    panel.dataset.open = String(isOpen);
    toggle.ariaExpanded = String(isOpen);
    // On a phone the chat covers the page.
    const isCovered = isOpen && matchMedia(PHONE).matches;
    for (const part of document.querySelectorAll<HTMLElement>('.top, .bar, .day, .foot'))
      part.inert = isCovered;
    if (isOpen) close.focus();
    else if (panel.contains(document.activeElement)) toggle.focus();
  }

  toggle.addEventListener('click', () => {
    setOpen(panel.dataset.open !== 'true');
  });
  close.addEventListener('click', () => {
    setOpen(false);
  });
  panel.addEventListener('keydown', (press) => {
    if (press.key === 'Escape' && panel.dataset.open === 'true') setOpen(false);
  });
  matchMedia(HAS_ROOM).addEventListener('change', () => {
    setOpen(false);
  });
}
