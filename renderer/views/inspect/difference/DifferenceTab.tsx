/** The tab. */
export function DifferenceTab() {
  return <h2>Difference</h2>;
}
