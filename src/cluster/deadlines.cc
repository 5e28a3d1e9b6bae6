#include "cluster/deadlines.h"

#include <algorithm>
#include <utility>

namespace cohort {
namespace {

int64_t PlaceOf(int64_t deadline_ns) { return deadline_ns >> 20; }

}  // namespace

Deadlines::Lists::iterator Deadlines::ListOf(int64_t place) {
  if (latest_ != lists_.end() && latest_->first == place) return latest_;
  if (spare_.empty()) return latest_ = lists_.try_emplace(lists_.end(), place);
  spare_.key() = place;
  return latest_ = lists_.insert(lists_.end(), std::move(spare_));
}

void Deadlines::Add(Timed& timed) {
  if (timed.listed) return;
  List& list = ListOf(PlaceOf(timed.deadline_ns))->second;
  list.least_ns = list.first == nullptr ? timed.deadline_ns : std::min(list.least_ns, timed.deadline_ns);
  timed.listed = true;
  timed.before = nullptr;
  timed.after = list.first;
  if (list.first != nullptr) list.first->before = &timed;
  list.first = &timed;
}

void Deadlines::Remove(Timed& timed) {
  if (!timed.listed) return;
  timed.listed = false;
  if (timed.after != nullptr) timed.after->before = timed.before;
  if (timed.before != nullptr) {
    timed.before->after = timed.after;
    return;
  }
  const auto place = ListOf(PlaceOf(timed.deadline_ns));
  place->second.first = timed.after;
  if (timed.after != nullptr) return;
  spare_ = lists_.extract(place);
  latest_ = lists_.end();
}

std::vector<Deadlines::Timed*> Deadlines::TakePassed(int64_t now_ns) {
  std::vector<Timed*> passed;
  while (!lists_.empty() && lists_.begin()->first <= PlaceOf(now_ns)) {
    List& list = lists_.begin()->second;
    const size_t before = passed.size();
    int64_t least_ns = INT64_MAX;
    for (Timed* timed = list.first; timed != nullptr; timed = timed->after) {
      if (timed->deadline_ns <= now_ns) {
        passed.push_back(timed);
      } else {
        least_ns = std::min(least_ns, timed->deadline_ns);
      }
    }
    list.least_ns = least_ns;
    const bool some_stay = least_ns != INT64_MAX;
    for (size_t i = before; i < passed.size(); ++i) Remove(*passed[i]);
    if (some_stay) break;
  }
  std::stable_sort(passed.begin(), passed.end(),
                   [](const Timed* a, const Timed* b) { return a->deadline_ns < b->deadline_ns; });
  return passed;
}

}  // namespace cohort
