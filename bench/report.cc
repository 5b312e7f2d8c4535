// bench_report FILE…: the targets of these results in one table, the tables that results have of
// their own (`"figures": {"table": [[…], …]}`), and where they were measured.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace {

using nlohmann::json;

using Row = std::vector<std::string>;
using Table = std::vector<Row>;

std::string Number(double value) { return absl::StrFormat("%.4g", value); }

Row ToRow(const std::string& benchmark, const json& target) {
  const std::string unit = target.at("unit");
  std::string measured = Number(target.at("measured"));
  if (const auto interval = target.find("interval95"); interval != target.end()) {
    absl::StrAppend(&measured, " (", Number(interval->at(0)), " to ", Number(interval->at(1)), ")");
  }
  return {benchmark, target.at("what"), absl::StrCat(measured, " ", unit),
          absl::StrCat(target.at("bound") == "at most" ? "<= " : ">= ", Number(target.at("target")),
                       " ", unit),
          target.at("met") ? "yes" : "NO"};
}

struct Results {
  Table targets = {{"benchmark", "what", "measured (95% interval)", "target", "met"}};
  std::vector<Table> tables;
  json machine;
};

Results Read(const std::vector<std::string>& files) {
  Results results;
  for (const std::string& file : files) {
    std::ifstream in(file);
    try {
      const json result = json::parse(in);
      results.machine = result.at("machine");
      for (const json& target : result.at("targets")) {
        results.targets.push_back(ToRow(result.at("benchmark"), target));
      }
      if (const json& figures = result.at("figures"); figures.contains("table")) {
        results.tables.push_back(figures.at("table").get<Table>());
      }
    } catch (const json::exception& error) {
      results.targets.push_back({file, absl::StrCat("no result: ", error.what()), "", "", "NO"});
    }
  }
  return results;
}

void Print(const Table& table) {
  std::vector<std::size_t> widths;
  for (const Row& row : table) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : table) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      absl::StrAppendFormat(&line, "%-*s  ", static_cast<int>(widths[i]), row[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    std::printf("%s\n", line.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_report FILE...\n");
    return 2;
  }
  const Results results = Read({argv + 1, argv + argc});
  if (results.targets.size() > 1) Print(results.targets);
  for (const Table& table : results.tables) {
    std::printf("\n");
    Print(table);
  }
  const json& machine = results.machine;
  if (machine.is_object()) {
    std::printf("\nmeasured on: %s, %s cores, %s, %s; gRPC %s, %s\n",
                machine.value("cpu", "?").c_str(), machine.value("cores", json()).dump().c_str(),
                machine.value("memory", "?").c_str(), machine.value("kernel", "?").c_str(),
                machine.value("grpc", "?").c_str(), machine.value("compiler", "?").c_str());
  }
  return 0;
}
