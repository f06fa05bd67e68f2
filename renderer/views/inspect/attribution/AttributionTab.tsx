/** The tab. */
export function AttributionTab() {
  return <h2>Attribution</h2>;
}
