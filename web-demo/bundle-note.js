/**
 * Prints what the build's scripts are made of: the share of each package.
 *
 * Plain JavaScript, because the page's type check knows browsers and not Node.
 */

export function bundleNote() {
  let logger;
  return {
    name: 'bundle-note',
    apply: 'build',
    configResolved(config) {
      logger = config.logger;
    },
    generateBundle(_options, bundle) {
      const sizes = new Map();
      for (const { modules = {} } of Object.values(bundle)) {
        for (const [id, { renderedLength }] of Object.entries(modules)) {
          const owner = packageOf(id);
          sizes.set(owner, (sizes.get(owner) ?? 0) + renderedLength);
        }
      }
      const whole = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      const lines = [...sizes]
        .sort(([, a], [, b]) => b - a)
        .map(([owner, size]) => `${((100 * size) / whole).toFixed(1).padStart(5)} %  ${owner}`);
      logger.info(`shares of the scripts, before minifying:\n${lines.join('\n')}`);
    },
  };
}

function packageOf(id) {
  const path = id.split('node_modules/').at(-1);
  if (path === id) return 'the page itself';
  return path.split('/').slice(0, path.startsWith('@') ? 2 : 1).join('/');
}
