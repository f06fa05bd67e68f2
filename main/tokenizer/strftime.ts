/**
 * The values of Python's strftime codes at a moment, in local time and the C locale, by code letter:
 * those that chat templates use to state the date.
 */
export function strftimeCodes(now: Date): Record<string, string> {
  const english = (options: Intl.DateTimeFormatOptions): string =>
    now.toLocaleDateString('en-US', options);
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const lastYear = new Date(now.getFullYear(), 0, 0).getTime();
  return {
    a: english({ weekday: 'short' }),
    A: english({ weekday: 'long' }),
    b: english({ month: 'short' }),
    B: english({ month: 'long' }),
    d: two(now.getDate()),
    H: two(now.getHours()),
    I: two(now.getHours() % 12 || 12),
    // Rounded, because a day on which clocks change has not 24 hours.
    j: String(Math.round((midnight - lastYear) / 86_400_000)).padStart(3, '0'),
    m: two(now.getMonth() + 1),
    M: two(now.getMinutes()),
    p: now.getHours() < 12 ? 'AM' : 'PM',
    S: two(now.getSeconds()),
    y: two(now.getFullYear() % 100),
    Y: String(now.getFullYear()),
    '%': '%',
  };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
