/** The tab. */
export function LensTab() {
  return <h2>Lens</h2>;
}
