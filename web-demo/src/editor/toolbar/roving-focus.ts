/** Makes a toolbar one stop of the Tab key, in which the arrow keys move, as WAI-ARIA's toolbar pattern asks. */

export function roveFocus(toolbar: HTMLElement, buttons: readonly HTMLElement[]): void {
  const makeCurrent = (current: HTMLElement): void => {
    for (const button of buttons) button.tabIndex = button === current ? 0 : -1;
  };
  const [first] = buttons;
  if (first !== undefined) makeCurrent(first);
  toolbar.addEventListener('focusin', ({ target }) => {
    const focused = buttons.find((button) => button === target);
    if (focused !== undefined) makeCurrent(focused);
  });
  toolbar.addEventListener('keydown', (event) => {
    const reachable = buttons.filter((button) => !button.hidden);
    const at = reachable.findIndex((button) => button === document.activeElement);
    if (at < 0) return;
    const count = reachable.length;
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1 + count, Home: 0, End: count - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    reachable[next % count]?.focus();
  });
}
