import { Button } from '@mantine/core';
import { IconFolderOpen } from '@tabler/icons-react';
import { useStudio } from './studioContext.ts';

/** Leads to the dialog that opens a model: what there is to do while there is none. */
export function OpenFolder() {
  const { navigation } = useStudio();
  return (
    <Button
      variant="default"
      leftSection={<IconFolderOpen size={16} stroke={1.5} aria-hidden="true" />}
      onClick={() => navigation.open('folder')}
    >
      Open folder…
    </Button>
  );
}
