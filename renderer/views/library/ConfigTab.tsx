import { useQuery } from '@tanstack/react-query';
import { useStudio } from '../studioContext.ts';
import classes from './tabs.module.css';
import { Loaded } from '../Loaded.tsx';

/** config.json as it stands. */
export function ConfigTab({ model }: { model: string }) {
  const { models } = useStudio();
  const query = useQuery({ queryKey: ['facts', model], queryFn: () => models.facts(model) });
  return (
    <Loaded query={query}>
      {({ config }) => <pre className={classes.code}>{JSON.stringify(config, null, 2)}</pre>}
    </Loaded>
  );
}
