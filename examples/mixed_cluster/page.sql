-- One package's page, whole: the same statement runs in every node, so that the same bytes come from every language.
-- ?1 is the package's name; no row means that there is no such package.
WITH RECURSIVE closure(name) AS (
  SELECT dependency FROM depends WHERE package = ?1
  UNION
  SELECT depends.dependency FROM depends JOIN closure ON depends.package = closure.name
)
SELECT
  'Package: ' || p.name || char(10) ||
  'Description: ' || p.description || char(10) ||
  'Section: ' || p.section || char(10) ||
  'Versions: ' || (SELECT group_concat(version, ', ') FROM
                    (SELECT version FROM versions WHERE package = ?1 ORDER BY version)) || char(10) ||
  'Installed here: ' || p.installed || char(10) ||
  'Needs: ' || (SELECT count(*) FROM closure) || ' packages, ' ||
    (SELECT coalesce(sum(q.kib), 0) FROM closure JOIN packages q ON q.name = closure.name) || ' KiB in all' || char(10) ||
  coalesce((SELECT group_concat('  ' || line, char(10)) FROM
             (SELECT closure.name || '  ' || coalesce(q.description, '') AS line
                FROM closure LEFT JOIN packages q ON q.name = closure.name ORDER BY closure.name)) || char(10), '')
FROM packages p WHERE p.name = ?1;
