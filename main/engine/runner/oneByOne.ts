/**
 * A listener that hears one message after the other: what a message sets off in microtasks is done
 * before the next is heard. A child's channel brings several at once, and oRPC takes longer to read
 * text than what came by structured clone, so that the end of a stream would overtake its middle.
 */
export function oneByOne<T>(listener: (message: T) => void): (message: T) => void {
  const waiting: T[] = [];
  let busy = false;
  const next = (): void => {
    busy = waiting.length > 0;
    if (!busy) return;
    // Ticks run when no microtask is left, and before the process looks for anything new.
    queueMicrotask(() => process.nextTick(next));
    for (const message of waiting.splice(0, 1)) listener(message);
  };
  return (message) => {
    waiting.push(message);
    if (!busy) next();
  };
}
