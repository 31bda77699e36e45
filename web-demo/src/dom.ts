/** Builds DOM elements. Text always goes in as text nodes, so nothing that a peer sends can become markup. */

type Attributes = Readonly<Record<string, string | boolean>>;

/** Creates an element; an attribute of `true` is set empty, one of `false` is left out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) created.setAttribute(name, value === true ? '' : value);
  }
  created.append(...children);
  return created;
}
