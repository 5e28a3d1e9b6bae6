// The ring: every key belongs to whom groupcache-go v3 and golang/groupcache give it.
#include "cluster/ring.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "wire/vectors.h"

namespace cohort {
namespace {

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

std::string Sha256(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  return Hex(std::string(digest, digest + size));
}

// The 10,000 keys of the vectors.
std::vector<std::string> VectorKeys() {
  std::vector<std::string> keys;
  for (unsigned i = 0; i < 10'000; ++i) {
    const std::string n = std::to_string(i);
    const auto byte = [](unsigned number) { return static_cast<char>(number & 255); };
    const uint32_t spread = i * 2'654'435'761U;
    switch (i % 6) {
      case 0:
        keys.push_back("key-" + n);
        break;
      case 1:
        keys.push_back(
            "user:" + Hex(std::string{byte(spread >> 24), byte(spread >> 16), byte(spread >> 8), byte(spread)}) +
            ":profile");
        break;
      case 2:
        keys.push_back("192." + std::to_string(i >> 8) + "." + std::to_string(i & 255) + "." +
                       std::to_string(i * 7 % 256));
        break;
      case 3:
        keys.push_back("/path/" + n + "/ü-日本-" + std::to_string(i * 3) + "?x=" + n + "&y=%2F");
        break;
      case 4:
        keys.push_back({byte(0xff), byte(0xfe), byte(i), byte(i >> 8), 0, '\n'});
        break;
      default:
        keys.push_back(std::string(i % 300, 'k') + n);
    }
  }
  return keys;
}

void ExpectOwners(const nlohmann::json& set, RingPreset preset, const std::vector<std::string>& keys) {
  SCOPED_TRACE(set["set"].get<std::string>() + " with " + set["replicas"].dump() + " replicas");
  const std::vector<std::string> peers = set["peers"];
  RingOptions options;
  options.preset = preset;
  options.replicas = set["replicas"];
  const Ring ring(options, peers);
  const std::vector<int> first = set["first200"];
  std::map<std::string, int> counts;
  std::string owners;
  for (size_t i = 0; i < keys.size(); ++i) {
    const int owner = ring.Owner(keys[i]);
    ASSERT_GE(owner, 0);
    ASSERT_EQ(owner, ring.OwnerOfHash(ring.Hash(keys[i])));
    if (i < first.size()) {
      ASSERT_EQ(owner, first[i]) << "key " << i;
    }
    owners += peers[static_cast<size_t>(owner)] + "\n";
    ++counts[peers[static_cast<size_t>(owner)]];
  }
  EXPECT_EQ(Sha256(owners), set["owners_sha256"]);
  if (set.contains("counts")) {
    EXPECT_EQ(nlohmann::json(counts), set["counts"]);
  }
}

TEST(Ring, OwnersAreThoseOfGroupcacheGoV3) {
  const auto lines = ReadVectors("ring.jsonl");
  const std::vector<std::string> keys = VectorKeys();
  const std::vector<std::string> first = lines[0]["first24_keys_hex"];
  std::string all;
  for (const std::string& key : keys) all += key + "\n";
  for (size_t i = 0; i < first.size(); ++i) ASSERT_EQ(Hex(keys[i]), first[i]);
  ASSERT_EQ(Sha256(all), lines[0]["keys_sha256"]);
  ASSERT_GE(lines.size(), 7u);
  for (size_t i = 1; i < lines.size(); ++i) ExpectOwners(lines[i], RingPreset::kGroupcacheV3, keys);
}

TEST(Ring, KeysAreHashedAsGroupcacheGoV3HashesThem) {
  const Ring ring({}, {"a:1"});
  const auto hashes = ReadVectors("ring.jsonl")[0]["fnv1_64_of_hex"];
  ASSERT_GE(hashes.size(), 5u);
  for (const auto& [key, hash] : hashes.items()) {
    EXPECT_EQ(ring.Hash(BytesOfHex(key)), std::stoull(hash.get<std::string>(), nullptr, 16)) << key;
  }
}

TEST(Ring, OwnersAreThoseOfGolangGroupcache) {
  const std::vector<std::string> keys = VectorKeys();
  int sets = 0;
  int ties = 0;
  for (const auto& line : ReadVectors("ring-groupcache.jsonl")) {
    if (line["set"] != "tie") {
      ExpectOwners(line, RingPreset::kGroupcache, keys);
      ++sets;
      continue;
    }
    const std::vector<std::string> peers = line["peers"];
    RingOptions options;
    options.preset = RingPreset::kGroupcache;
    options.replicas = line["replicas"];
    const int owner = Ring(options, peers).Owner(line["key"].get<std::string>());
    EXPECT_EQ(peers[static_cast<size_t>(owner)], line["owner"]) << "two peers have a point in one place";
    ++ties;
  }
  EXPECT_EQ(sets, 5);
  EXPECT_GE(ties, 6);
}

// The published values of XXH3 64 with seed 0 for the empty input and for this library's own points.
TEST(Ring, Xxh3HashesKeysAndPointsWithXxh3) {
  RingOptions options;
  options.preset = RingPreset::kXxh3;
  options.replicas = 1;
  const Ring ring(options, {"a:1", "b:1"});
  EXPECT_EQ(ring.Hash(""), 0x2d06800538d394c2U);
  const uint64_t a = ring.Hash("0a:1");
  const uint64_t b = ring.Hash("0b:1");
  EXPECT_EQ(ring.OwnerOfHash(a), 0);
  EXPECT_EQ(ring.OwnerOfHash(b), 1);
  EXPECT_EQ(ring.OwnerOfHash(std::min(a, b) + 1), a < b ? 1 : 0);
}

// However the hashes lie, close together or at the ends, the owner is the one whose point is next on the circle.
TEST(Ring, FindsTheNextPointHoweverTheyLie) {
  std::mt19937_64 random(3);
  for (const RingPreset preset : {RingPreset::kXxh3, RingPreset::kGroupcache}) {
    for (const int width : {0, 1, 5, 16, 31, 32, 48, 64}) {
      std::map<uint64_t, int> points;
      RingOptions options;
      options.preset = preset;
      options.replicas = 3;
      options.hash = [&](std::string_view) {
        const uint64_t low = width == 0 ? 0 : random() >> (64 - width);
        const uint64_t hash = random() % 8 == 0 ? UINT64_MAX : random() % 8 == 0 ? 0 : low;
        points.emplace(hash, static_cast<int>(points.size()));
        return hash;
      };
      std::vector<std::string> peers;
      for (int i = 0; i < 40; ++i) peers.push_back("p" + std::to_string(i));
      const Ring ring(options, peers);
      // One point after the other is walked to: whoever owns it owns all behind the point before it.
      uint64_t first = 0;
      for (const auto& [hash, number] : points) {
        const int owner = ring.OwnerOfHash(hash);
        ASSERT_EQ(ring.OwnerOfHash(first), owner);
        ASSERT_EQ(ring.OwnerOfHash(first + (hash - first) / 2), owner);
        first = hash + 1;
      }
      if (first != 0) {
        ASSERT_EQ(ring.OwnerOfHash(UINT64_MAX), ring.OwnerOfHash(0));
      }
    }
  }
}

TEST(Ring, ACircleWrapsAround) {
  RingOptions options;
  options.preset = RingPreset::kXxh3;
  options.replicas = 1;
  options.hash = [](std::string_view text) -> uint64_t {
    if (text == "0low:1") return 10;
    if (text == "0high:1") return uint64_t{1} << 63;  // Negative, as groupcache-go sees it.
    return std::stoull(std::string(text));
  };
  const Ring ring(options, {"low:1", "high:1"});
  EXPECT_EQ(ring.Owner("0"), 0);
  EXPECT_EQ(ring.Owner("10"), 0);
  EXPECT_EQ(ring.Owner("11"), 1);
  EXPECT_EQ(ring.Owner("9223372036854775808"), 1);
  EXPECT_EQ(ring.Owner("9223372036854775809"), 0);
}

TEST(Ring, ACustomHashGetsThePresetsPoints) {
  const auto hashed = [](RingPreset preset) {
    std::vector<std::string> seen;
    RingOptions options;
    options.preset = preset;
    options.replicas = 2;
    options.hash = [&](std::string_view text) {
      seen.emplace_back(text);
      return uint64_t{seen.size()};
    };
    const Ring ring(options, {"h:1"});
    EXPECT_EQ(ring.Owner("key"), 0);
    return seen;
  };
  // The first two are the MD5 of "0h:1" and "1h:1".
  EXPECT_EQ(hashed(RingPreset::kGroupcacheV3),
            (std::vector<std::string>{"3f34cb397fe4ef9315a0423027389843", "a7a675704dedf6f37857a69645667b60", "key"}));
  EXPECT_EQ(hashed(RingPreset::kGroupcache), (std::vector<std::string>{"0h:1", "1h:1", "key"}));
  EXPECT_EQ(hashed(RingPreset::kXxh3), (std::vector<std::string>{"0h:1", "1h:1", "key"}));
}

TEST(Ring, P10NobodyOwnsAKeyOfAnEmptyRing) { EXPECT_EQ(Ring({}, {}).Owner("key"), -1); }

TEST(Ring, EachOfAThousandPeersOwnsKeys) {
  std::vector<std::string> peers;
  for (int i = 0; i < 1000; ++i) {
    peers.push_back("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256) + ":8080");
  }
  RingOptions options;
  options.preset = RingPreset::kXxh3;  // groupcache's FNV-1 gives keys that differ in their last byte to few peers.
  const Ring ring(options, peers);
  std::vector<int> keys(peers.size());
  for (int i = 0; i < 100'000; ++i) ++keys.at(static_cast<size_t>(ring.Owner(std::to_string(i))));
  EXPECT_GT(*std::min_element(keys.begin(), keys.end()), 0);
}

}  // namespace
}  // namespace cohort
