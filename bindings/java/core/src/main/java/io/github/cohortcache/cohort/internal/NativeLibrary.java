package io.github.cohortcache.cohort.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Loads libcohort and what it needs, once in a JVM: from the folder that the system property names, else from
 * java.library.path, else from the jar.
 */
public final class NativeLibrary {
  /** The system property that names a folder with libcohortjni and, beside it or on the system, libcohort. */
  public static final String PROPERTY = "cohort.library.path";

  private static final String NAME = "cohortjni";

  private NativeLibrary() {}

  static {
    load();
    if (Native.cohort_api_level() < Constants.COHORT_API_LEVEL) {
      throw new UnsatisfiedLinkError("libcohort " + Native.cohort_version() + " has API level " + Native.cohort_api_level()
          + ", but this binding was built for level " + Constants.COHORT_API_LEVEL + ": install the newer libcohort");
    }
  }

  /** Makes sure that the library is there. */
  public static void require() {}

  private static void load() {
    String folder = System.getProperty(PROPERTY);
    if (folder != null) {
      Path file = Path.of(folder, System.mapLibraryName(NAME)).toAbsolutePath();
      if (!Files.isRegularFile(file)) {
        throw new UnsatisfiedLinkError("-D" + PROPERTY + "=" + folder + ": there is no " + file.getFileName());
      }
      System.load(file.toString());
      return;
    }
    String missing;
    try {
      System.loadLibrary(NAME);
      return;
    } catch (UnsatisfiedLinkError notOnThePath) {
      missing = notOnThePath.getMessage();
    }
    try {
      loadFromJar();
    } catch (IOException failure) {
      throw (UnsatisfiedLinkError) new UnsatisfiedLinkError(
          "libcohort is not in -D" + PROPERTY + ", nor in java.library.path (" + missing + "), nor could it be unpacked: "
              + failure.getMessage()).initCause(failure);
    }
  }

  /** The folder of the jar that has this platform's libraries. */
  static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch");
    return (os.startsWith("mac") ? "macos" : os) + "-" + (arch.equals("amd64") ? "x86_64" : arch);
  }

  /**
   * Unpacks the libraries into a new folder of this user's alone, loads them, and deletes the files: what is loaded stays.
   * They find each other because each looks beside itself first.
   */
  private static void loadFromJar() throws IOException {
    String root = "/natives/" + platform() + "/";
    List<String> names;
    try (InputStream index = NativeLibrary.class.getResourceAsStream(root + "index")) {
      if (index == null) throw new IOException("this jar has no libraries for " + platform());
      names = new String(index.readAllBytes(), StandardCharsets.UTF_8).lines().filter(line -> !line.isBlank()).toList();
    }
    Path folder = Files.createTempDirectory("cohort-");
    List<Path> files = new ArrayList<>();
    try {
      for (String name : names) {
        Path file = folder.resolve(name);
        files.add(file);
        try (InputStream in = NativeLibrary.class.getResourceAsStream(root + name)) {
          if (in == null) throw new IOException("the jar lacks " + root + name);
          Files.copy(in, file);
        }
      }
      System.load(folder.resolve(System.mapLibraryName(NAME)).toString());
    } finally {
      for (Path file : files) Files.deleteIfExists(file);
      Files.deleteIfExists(folder);
    }
  }
}
