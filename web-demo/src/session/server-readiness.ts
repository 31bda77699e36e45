/** Asks the server whether it takes work and can save it. */

import type { Readiness } from './saving';

export async function askReadiness(): Promise<Readiness> {
  try {
    const answer = await fetch('/readyz', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return answer.status === 503 ? 'not-ready' : 'ready';
  } catch {
    return 'unreachable';
  }
}

const ANSWER_WITHIN_MS = 4000;
