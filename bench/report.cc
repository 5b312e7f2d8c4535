// bench_report FILE…: the targets of these results in one table, and where they were measured.
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

struct Row {
  std::string benchmark, what, measured, target, met;
};

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

std::vector<Row> ReadRows(const std::vector<std::string>& files, json& machine) {
  std::vector<Row> rows;
  for (const std::string& file : files) {
    std::ifstream in(file);
    try {
      const json result = json::parse(in);
      machine = result.at("machine");
      for (const json& target : result.at("targets")) {
        rows.push_back(ToRow(result.at("benchmark"), target));
      }
    } catch (const json::exception& error) {
      rows.push_back({file, absl::StrCat("no result: ", error.what()), "", "", "NO"});
    }
  }
  return rows;
}

void Print(const std::vector<Row>& rows) {
  std::string Row::*const columns[] = {&Row::benchmark, &Row::what, &Row::measured, &Row::target,
                                       &Row::met};
  std::vector<std::size_t> widths;
  for (const auto column : columns) {
    std::size_t width = 0;
    for (const Row& row : rows) width = std::max(width, (row.*column).size());
    widths.push_back(width);
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      absl::StrAppendFormat(&line, "%-*s  ", static_cast<int>(widths[i]), row.*columns[i]);
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
  json machine;
  std::vector<Row> rows = ReadRows({argv + 1, argv + argc}, machine);
  rows.insert(rows.begin(), {"benchmark", "what", "measured (95% interval)", "target", "met"});
  Print(rows);
  if (machine.is_object()) {
    std::printf("\nmeasured on: %s, %s cores, %s, %s; gRPC %s, %s\n",
                machine.value("cpu", "?").c_str(), machine.value("cores", json()).dump().c_str(),
                machine.value("memory", "?").c_str(), machine.value("kernel", "?").c_str(),
                machine.value("grpc", "?").c_str(), machine.value("compiler", "?").c_str());
  }
  return 0;
}
