// Catalog is this node's source of truth, Debian's packages in SQLite, and what it was asked.

import io.github.cohortcache.cohort.Loader;
import io.github.cohortcache.cohort.NotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

final class Catalog implements Loader<String, String> {
  final AtomicLong queries = new AtomicLong();
  final ConcurrentLinkedQueue<String> loads = new ConcurrentLinkedQueue<>();
  private final String url;
  private final String sql;
  private final ConcurrentLinkedQueue<PreparedStatement> idle = new ConcurrentLinkedQueue<>();

  Catalog(String database, String statement) throws IOException {
    url = "jdbc:sqlite:" + database;
    sql = Files.readString(Path.of(statement));
  }

  /** The page of a package. */
  @Override
  public String load(String name) throws SQLException {
    queries.incrementAndGet();
    loads.add(name);
    PreparedStatement page = idle.poll();
    if (page == null) page = open();
    try {
      page.setString(1, name);
      try (ResultSet row = page.executeQuery()) {
        if (!row.next()) throw new NotFoundException("no such package");
        return row.getString(1);
      }
    } finally {
      idle.add(page);
    }
  }

  private PreparedStatement open() throws SQLException {
    Properties readOnly = new Properties();
    readOnly.setProperty("open_mode", "1");
    return DriverManager.getConnection(url, readOnly).prepareStatement(sql);
  }
}
