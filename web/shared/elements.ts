import { singleLine } from '@appointment-emissions/contracts';

/** Returns an element of the page. @throws if the page has no such element, for example because page and script differ in version */
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

/** Sets the text only if it differs, which avoids layout and repeated screen reader announcements. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Wraps a user's text in a `bdi` element, so that its script and direction do not affect the text around it. */
export function userText(text: string): HTMLElement {
  return create('bdi', '', singleLine(text));
}

/** Wraps each of several user texts, see {@link userText}. Empty texts are omitted. */
export function userTexts(
  texts: readonly (string | null | undefined)[],
  separator: string,
): (HTMLElement | string)[] {
  const given = texts.filter((text): text is string => Boolean(text));
  return given.flatMap((text, n) => (n === 0 ? [userText(text)] : [separator, userText(text)]));
}

/** Like {@link setText}, for text that contains elements. */
export function setParts(element: HTMLElement, ...parts: readonly (HTMLElement | string)[]): void {
  const text = parts.map((part) => (typeof part === 'string' ? part : part.textContent)).join('');
  if (element.textContent !== text) element.replaceChildren(...parts);
}

/** Sets custom properties through the DOM, which a strict content security policy allows. */
export function setStyle(element: HTMLElement, properties: Record<`--${string}`, string | number>): void {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, String(value));
}

/** Replaces the children of an element. Children that stay are not moved, so that they keep the focus. */
export function setChildren(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const wanted = new Set<Element>(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}
