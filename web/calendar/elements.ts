import { singleLine } from '@appointment-emissions/contracts';

/** An element that index.html has. @throws where it does not: page and script don't belong together */
export function byId<E extends HTMLElement>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} #${id}`);
  return found;
}

export function create<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = '',
  text = '',
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

/** Writes only what differs, so that nothing is laid out or read aloud again for nothing. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A text of others in an element of its own: whatever its script and direction, it does not change what is around it. */
export function userText(text: string): HTMLElement {
  return create('bdi', '', singleLine(text));
}

/** Texts of others, each in its own element. Empty ones are left out. */
export function userTexts(
  texts: readonly (string | null | undefined)[],
  separator: string,
): (HTMLElement | string)[] {
  const given = texts.filter((text): text is string => Boolean(text));
  return given.flatMap((text, n) => (n === 0 ? [userText(text)] : [separator, userText(text)]));
}

/** As {@link setText}, with elements among the text. */
export function setParts(element: HTMLElement, ...parts: readonly (HTMLElement | string)[]): void {
  const text = parts.map((part) => (typeof part === 'string' ? part : part.textContent)).join('');
  if (element.textContent !== text) element.replaceChildren(...parts);
}

/** Sets custom properties; through the object model, which a strict content policy allows. */
export function setStyle(element: HTMLElement, properties: Record<`--${string}`, string | number>): void {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, String(value));
}

/** Makes these, in this order, the element's children; those that stay are not moved, so that they keep the focus. */
export function setChildren(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const wanted = new Set<Element>(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}
